"""DICOM files: which series they are, and each series as a scan."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
import SimpleITK as sitk
from PseudoNormalLib.i18n import _
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError

from PseudoNormalWeb.parts.files.picture import FileError, Picture, holds_labels, placed

_TAGS = (
    "SOPClassUID", "PatientID", "SpecificCharacterSet", "SeriesInstanceUID", "SeriesDescription", "SeriesNumber",
    "InstanceNumber", "Rows", "Columns", "NumberOfFrames", "SamplesPerPixel", "BitsAllocated", "PixelSpacing",
    "ImagePositionPatient", "ImageOrientationPatient",
)  # fmt: skip
_PLACE = {"ImagePositionPatient": 3, "ImageOrientationPatient": 6, "PixelSpacing": 2}
_UNEVEN = 0.05
"""Part of the usual step by which neighbouring slices may lie nearer or farther: files round positions."""
_LEAST_SLICES = 3


class TooFewSlicesError(FileError):
    """A localizer, or what is left of a scan."""


@dataclass(frozen=True)
class DicomFile:
    """A file and its header without pixels."""

    path: Path
    header: Dataset


def dicom_header(path: Path) -> Dataset | None:
    """A file's header; None where it is no DICOM file.

    :raises FileError: the header is damaged.
    """
    try:
        header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=list(_TAGS))
    except InvalidDicomError:
        return None
    except (ValueError, EOFError, KeyError, NotImplementedError) as error:
        line = _("{file}: the DICOM header is damaged; export the series again")
        raise FileError(line.format(file=path.name)) from error
    return header


def no_image(file: DicomFile) -> str:
    """Why a DICOM file is no scan, in one line; empty where it is one.

    A segmentation, contours and reports are DICOM files too.
    """
    kind = str(getattr(file.header.get("SOPClassUID"), "name", "") or _("of no known kind"))
    if "Rows" not in file.header or "Segmentation" in kind or "RT Dose" in kind:
        return _("{file}: is no scan ({kind}); give the images").format(file=file.path.name, kind=kind)
    if int(file.header.get("NumberOfFrames") or 1) > 1:
        return _("{file}: is a multi-frame DICOM file, which is not supported; convert it to NIfTI").format(
            file=file.path.name
        )
    if int(file.header.get("SamplesPerPixel") or 1) > 1:
        return _("{file}: is a colour picture; give the scan itself").format(file=file.path.name)
    return ""


def series_of(files: Sequence[DicomFile]) -> list[list[DicomFile]]:
    """The files by series, and within a series by size and orientation: a localizer holds several."""
    found = defaultdict(list)
    for file in files:
        header = file.header
        orientation = np.round([float(value) for value in header.get("ImageOrientationPatient") or ()], 2) + 0.0
        kind = (str(header.get("SeriesInstanceUID", "")), int(header.Rows), int(header.Columns), tuple(orientation))
        found[kind].append(file)
    return list(found.values())


def read_series(files: Sequence[DicomFile]) -> Picture:
    """A scan from the slices of one series; rescale slope and intercept are applied, each slice's own.

    :raises FileError: they are not the whole of one evenly spaced 3D scan.
    """
    name = _name(files[0].header)
    for file in files:
        missing = [tag for tag, length in _PLACE.items() if len(file.header.get(tag) or ()) != length]
        if missing:
            line = _("{file}: the DICOM header has no {tag}, so the slice has no place; export it again")
            raise FileError(line.format(file=file.path.name, tag=missing[0]))
    axes = np.array([float(value) for value in files[0].header.ImageOrientationPatient]).reshape(2, 3)
    normal = np.cross(*axes)
    files = sorted(files, key=lambda file: float(_position(file) @ normal))
    step = _step(name, np.array([_position(file) for file in files]), axes, normal)
    row, column = (float(value) for value in files[0].header.PixelSpacing)
    array = np.stack([_pixels(file) for file in files])
    array, matrix = placed(array, np.array([column, row, step]), _position(files[0]), np.stack([*axes, normal], axis=1))
    patient = str(files[0].header.get("PatientID") or "").strip()
    return Picture(name, array, matrix, holds_labels(array), tuple(file.path for file in files), patient)


def _name(header: Dataset) -> str:
    """As desktop Slicer's DICOM module names a series."""
    description = str(header.get("SeriesDescription") or _("Unnamed series"))
    number = header.get("SeriesNumber")
    return f"{number}: {description}" if number not in (None, "") else description


def _position(file: DicomFile) -> np.ndarray:
    return np.array([float(value) for value in file.header.ImagePositionPatient])


def _step(name: str, positions: np.ndarray, axes: np.ndarray, normal: np.ndarray) -> float:
    """The distance between slices, mm."""
    if len(positions) < _LEAST_SLICES:
        line = _("{name}: has {count} slices only; give the whole series")
        raise TooFewSlicesError(line.format(name=name, count=len(positions)))
    steps = np.diff(positions @ normal)
    usual = float(np.median(steps))
    if usual <= 1e-3 or (steps < _UNEVEN * usual).any():
        line = _("{name}: several slices lie at one place (4D, or two scans in one series); give one volume")
        raise FileError(line.format(name=name))
    if (np.abs(steps - usual) > _UNEVEN * usual).any():
        line = _("{name}: slices are missing or not evenly spaced ({low:.2f} to {high:.2f} mm); give the whole series")
        raise FileError(line.format(name=name, low=steps.min(), high=steps.max()))
    if np.abs(axes @ (positions[-1] - positions[0])).max() > usual / 2:
        line = _("{name}: slices are sheared against each other (gantry tilt); correct the tilt first")
        raise FileError(line.format(name=name))
    return float(steps.mean())


def _pixels(file: DicomFile) -> np.ndarray:
    """(H, W) values of one slice."""
    header = file.header
    needed = int(header.Rows) * int(header.Columns) * int(header.get("BitsAllocated") or 0) // 8
    syntax = header.file_meta.get("TransferSyntaxUID")
    try:
        # What a cut-off file lacks is filled up by the reader; only uncompressed ones say how long they should be.
        if syntax is not None and not syntax.is_compressed and file.path.stat().st_size < needed:
            raise RuntimeError("shorter than its pixels")
        pixels = sitk.GetArrayFromImage(sitk.ReadImage(str(file.path)))
    except RuntimeError as error:
        line = _("{file}: the DICOM file is cut off or damaged; export the series again")
        raise FileError(line.format(file=file.path.name)) from error
    return pixels.reshape(pixels.shape[-2:])
