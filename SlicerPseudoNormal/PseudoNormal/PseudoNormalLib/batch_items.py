"""What a batch can be made of: the image files of a folder, or the volumes that are loaded."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PseudoNormalLib.contrast import contrast_in, guess_contrast
from PseudoNormalLib.engine.transfer import SUFFIXES, FileContent, Volume, encode
from PseudoNormalLib.i18n import _
from PseudoNormalLib.scene.case_nodes import cases_in
from PseudoNormalLib.scene.subject import subject_in, subject_of
from PseudoNormalLib.scene.volumes import array_of, ijk_to_ras

if TYPE_CHECKING:
    from PseudoNormalLib.hosts import Host

_SEGMENTATION = ".seg.nrrd"
_NOT_IN_NAMES = re.compile(r'[\x00-\x1f<>:"/\\|?*]+')


@dataclass(frozen=True)
class BatchScan:
    """A scan as it is sent, and what is known about it.

    :param contrast: a word of :data:`PseudoNormalLib.contrast.CONTRASTS`; None: not known.
    :param subject: a key to the person; None: not known. See :mod:`PseudoNormalLib.scene.subject`.
    """

    content: FileContent
    contrast: str | None
    subject: str | None


@dataclass(frozen=True)
class Item:
    """One case of a batch.

    :param case: its name; no other item of the batch has it, and a folder can have it.
    :param source: name of the file or of the volume.
    :param stamp: changes when the source does.
    :param begin: called on the main thread when its turn comes; gives what reads it on another thread. Raises
        :class:`ValueError` with one line where it cannot be read.
    """

    case: str
    source: str
    stamp: str
    begin: Callable[[], Callable[[], BatchScan]]


@dataclass(frozen=True)
class Found:
    """What is in a folder.

    :param items: in the order of their names.
    :param left_out: one line for each kind of thing that is not used, and why.
    """

    items: tuple[Item, ...]
    left_out: tuple[str, ...]


def items_in_folder(folder: Path) -> Found:
    """The image files in a folder, not in those below it.

    :raises ValueError: the folder cannot be read; one line.
    """
    try:
        entries = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
        files = [path for path in entries if path.is_file()]
        images = [path for path in files if _suffix(path) and not path.name.lower().endswith(_SEGMENTATION)]
        cases = _unique(path.name[: -len(_suffix(path))] for path in images)
        items = tuple(_file_item(case, path) for case, path in zip(cases, images, strict=True))
    except OSError as error:
        line = _("{folder}: cannot be read ({reason}); choose another folder")
        raise ValueError(line.format(folder=folder, reason=error.strerror or error)) from error
    left_out = []
    if len(files) > len(images):
        line = _("{count} files are left out: only {kinds} are read")
        left_out.append(line.format(count=len(files) - len(images), kinds=", ".join(SUFFIXES)))
    if len(entries) > len(files):
        line = _("{count} folders are left out: load DICOM series with the DICOM module and take all loaded volumes")
        left_out.append(line.format(count=len(entries) - len(files)))
    return Found(items, tuple(left_out))


def items_in_scene(host: Host) -> tuple[Item, ...]:
    """The loaded scans: all scalar volumes but label maps and those that were made from a scan."""
    scene = host.scene
    made = {id(node) for case in cases_in(scene) for node in case.made}
    nodes = [
        scene.GetNthNodeByClass(number, "vtkMRMLScalarVolumeNode")
        for number in range(scene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode"))
    ]
    scans = [
        node
        for node in nodes
        if id(node) not in made and node.GetClassName() == "vtkMRMLScalarVolumeNode" and node.GetImageData()
    ]
    return tuple(
        _node_item(case, node, host)
        for case, node in zip(_unique(node.GetName() for node in scans), scans, strict=True)
    )


def _file_item(case: str, path: Path) -> Item:
    def read() -> BatchScan:
        try:
            content = FileContent(path.read_bytes(), path.name)
            return BatchScan(content, contrast_in(path.name), subject_in(path.name))
        except OSError as error:
            line = _("{path}: cannot be read ({reason})")
            raise ValueError(line.format(path=path, reason=error.strerror or error)) from error

    status = path.stat()
    return Item(case, path.name, f"{status.st_size}/{status.st_mtime_ns}", lambda: read)


def _node_item(case: str, node: Any, host: Host) -> Item:
    def begin() -> Callable[[], BatchScan]:
        if node.GetScene() is None:
            raise ValueError(_("{name}: was closed meanwhile").format(name=name))
        volume = Volume(array_of(node).copy(), ijk_to_ras(node))
        contrast, subject = guess_contrast(node, host.dicom_files(node)), subject_of(node)
        return lambda: BatchScan(FileContent(encode(volume), f"{case}.nrrd"), contrast, subject)

    name = node.GetName()
    size = "x".join(str(length) for length in node.GetImageData().GetDimensions())
    low, high = node.GetImageData().GetScalarRange()
    return Item(case, name, f"{size}/{low}/{high}", begin)


def _suffix(path: Path) -> str:
    return next((suffix for suffix in SUFFIXES if path.name.lower().endswith(suffix)), "")


def _unique(names: Iterable[str]) -> list[str]:
    """Names that folders of any system can have, no two the same even where capitals do not count."""
    chosen: list[str] = []
    taken: set[str] = set()
    for name in names:
        plain = _NOT_IN_NAMES.sub("_", name).strip(" .") or "case"
        number = 1
        unique = plain
        while unique.lower() in taken:
            number += 1
            unique = f"{plain}_{number}"
        taken.add(unique.lower())
        chosen.append(unique)
    return chosen
