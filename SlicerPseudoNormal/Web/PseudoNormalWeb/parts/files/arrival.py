"""What has arrived in an upload's folder: scans, masks, and what is neither."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from PseudoNormalLib.i18n import _

from PseudoNormalWeb.parts.files.images import SUFFIXES, read_image, suffix_of, voxel_file
from PseudoNormalWeb.parts.files.picture import FileError, Picture
from PseudoNormalWeb.parts.files.series import (
    DicomFile,
    TooFewSlicesError,
    dicom_header,
    no_image,
    read_series,
    series_of,
)

_IGNORED = ("dicomdir", "thumbs.db", "desktop.ini")


@dataclass(frozen=True, eq=False)
class Arrival:
    """What was found.

    :param scans: in the order of their names.
    :param masks: label maps.
    :param refused: why something is not used, a line each.
    """

    scans: tuple[Picture, ...]
    masks: tuple[Picture, ...]
    refused: tuple[str, ...]


def read_arrival(folder: Path) -> Arrival:
    """Read all that is in a folder and in those below it; touches no scene, and may take its time."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not _ignored(path, folder))
    pictures: list[Picture] = []
    refused: list[str] = []
    images = [path for path in files if suffix_of(path)]
    parts = set()
    for path in images:
        try:
            parts.add(voxel_file(path))
            pictures.append(read_image(path))
        except (FileError, OSError) as error:
            refused.append(_line(path, error))
    dicom, others = _dicom([path for path in files if not suffix_of(path) and path not in parts], refused)
    localizers: list[str] = []
    for series in series_of(dicom):
        try:
            pictures.append(read_series(series))
        except TooFewSlicesError as error:
            localizers.append(str(error))
        except (FileError, OSError) as error:
            refused.append(_line(series[0].path, error))
    scans = tuple(each for each in pictures if not each.label_map)
    if others:
        refused.append(_not_known(others))
    if not files:
        refused.append(_("There are no files in it"))
    if not scans:  # beside a whole scan nobody wants to know of its localizer
        refused += localizers
    return Arrival(scans, tuple(each for each in pictures if each.label_map), tuple(refused))


def _dicom(paths: Iterable[Path], refused: list[str]) -> tuple[list[DicomFile], list[Path]]:
    """The DICOM images among files, and the files that are nothing that is known."""
    images, others = [], []
    for path in paths:
        try:
            header = dicom_header(path)
        except (FileError, OSError) as error:
            refused.append(_line(path, error))
            continue
        if header is None:
            others.append(path)
            continue
        file = DicomFile(path, header)
        reason = no_image(file)
        if reason:
            refused.append(reason)
        else:
            images.append(file)
    return images, others


def _not_known(others: list[Path]) -> str:
    kinds = _("NIfTI, NRRD, MetaImage and DICOM")
    if len(others) == 1:
        line = _("{file}: is no scan; only {kinds} are read ({suffixes})")
        suffixes = ", ".join(SUFFIXES[1:])
        return line.format(file=others[0].name, kinds=kinds, suffixes=suffixes)
    line = _("{count} files are no scans ({file} and others); only {kinds} are read")
    return line.format(count=len(others), file=others[0].name, kinds=kinds)


def _ignored(path: Path, folder: Path) -> bool:
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in path.relative_to(folder).parts)
    return hidden or path.name.lower() in _IGNORED


def _line(path: Path, error: Exception) -> str:
    if isinstance(error, OSError):
        return _("{file}: cannot be read ({reason})").format(file=path.name, reason=error.strerror or error)
    return str(error)
