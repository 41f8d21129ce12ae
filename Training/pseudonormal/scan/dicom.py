"""A folder with one DICOM series: headers are checked with pydicom, voxels are read by SimpleITK."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
import SimpleITK as sitk
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError

from pseudonormal.errors import InputError
from pseudonormal.scan import checks
from pseudonormal.scan.itk import quiet
from pseudonormal.scan.scan import Scan, Storage

_TAGS = [
    "SeriesInstanceUID",
    "SeriesDescription",
    "InstanceNumber",
    "Rows",
    "Columns",
    "NumberOfFrames",
    "SamplesPerPixel",
    "BitsAllocated",
    "PixelSpacing",
    "ImagePositionPatient",
    "ImageOrientationPatient",
]
# A distance between neighbouring slices may differ from the usual one by this part of it (rounded positions do).
_UNEVEN = 0.05


@dataclass(frozen=True)
class _Slice:
    path: Path
    header: Dataset
    position: NDArray[np.float64]
    orientation: NDArray[np.float64]


def read_dicom(folder: Path, volume: int | None) -> Scan:
    """Read the one DICOM series in a folder and the folders below it.

    Rescale slope and intercept are applied; integers stay integers where the slope is 1.

    :param volume: which volume, counted from 0, when the series holds several slices at each position.
    :raises InputError: when there is not exactly one whole series of parallel, evenly spaced slices.
    """
    slices = _one_volume(folder, _one_series(folder), volume)
    first = slices[0]
    normal = np.cross(first.orientation[0], first.orientation[1])
    steps = np.diff([s.position @ normal for s in slices])
    step = float(np.median(steps))
    _check_steps(folder, slices, steps, step)
    drift = (slices[-1].position - first.position) @ first.orientation.T
    row, column = (float(value) for value in first.header.PixelSpacing)
    if np.abs(drift).max() > max(row, column):
        raise InputError(f"{folder}: slices are sheared against each other (gantry tilt); correct the tilt first")
    size = (int(first.header.Columns), int(first.header.Rows), len(slices))
    axes = np.stack([*first.orientation, normal], axis=1)
    geometry = checks.geometry(folder, size, (column, row, step), first.position, axes)
    planes = [_pixels(s, geometry.shape[1:]) for s in slices]
    array = np.stack(planes)
    if array.dtype == np.float64:  # only ever the product of a rescale slope
        array = array.astype(np.float32)
    return Scan(array, geometry, folder, Storage(array.dtype))


def _one_series(folder: Path) -> list[tuple[Path, Dataset]]:
    series: dict[str, list[tuple[Path, Dataset]]] = defaultdict(list)
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name.upper() != "DICOMDIR":
            header = _image_header(path)
            if header is not None:
                series[str(header.get("SeriesInstanceUID", ""))].append((path, header))
    if not series:
        raise InputError(f"{folder}: no DICOM images in this folder; give a folder with one series, or an image file")
    if len(series) > 1:
        listed = "; ".join(
            f"'{members[0][1].get('SeriesDescription', 'no description')}': {len(members)} files"
            for members in series.values()
        )
        raise InputError(
            f"{folder}: holds {len(series)} DICOM series ({listed}); put the one to use into a folder of its own"
        )
    return next(iter(series.values()))


def _image_header(path: Path) -> Dataset | None:
    """Header of a DICOM image; None for other files and for DICOM objects without pixels (reports, for example)."""
    try:
        header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=_TAGS)
    except InvalidDicomError:
        return None
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"{path}: the DICOM header cannot be read; copy or export the series again") from error
    return header if "Rows" in header and "Columns" in header else None


def _one_volume(folder: Path, members: list[tuple[Path, Dataset]], volume: int | None) -> list[_Slice]:
    """The slices of one volume, sorted along their normal."""
    slices = [_checked(path, header) for path, header in members]
    kinds = {
        (
            int(s.header.Rows),
            int(s.header.Columns),
            tuple(np.round([float(v) for v in s.header.PixelSpacing], 3)),
            tuple(np.round(s.orientation.ravel(), 2) + 0.0),
        )
        for s in slices
    }
    if len(kinds) > 1:
        raise InputError(
            f"{folder}: mixes slices of {len(kinds)} sizes or orientations (a localizer?); keep one kind in the folder"
        )
    checks.spatial_size(folder, (int(slices[0].header.Columns), int(slices[0].header.Rows), len(slices)))
    normal = np.cross(slices[0].orientation[0], slices[0].orientation[1])
    places: dict[float, list[_Slice]] = defaultdict(list)
    for s in slices:
        places[round(float(s.position @ normal), 2)].append(s)
    counts = Counter(len(at_place) for at_place in places.values())
    if len(counts) > 1:
        raise InputError(
            f"{folder}: slices are missing or doubled (some positions hold {min(counts)} slices, some {max(counts)}); "
            "export the series again"
        )
    chosen = checks.choose_volume(folder, next(iter(counts)), volume)
    ordered = [sorted(places[z], key=lambda s: int(s.header.get("InstanceNumber") or 0)) for z in sorted(places)]
    checks.spatial_size(folder, (int(slices[0].header.Columns), int(slices[0].header.Rows), len(ordered)))
    return [at_place[chosen] for at_place in ordered]


def _checked(path: Path, header: Dataset) -> _Slice:
    if int(header.get("NumberOfFrames") or 1) > 1:
        raise InputError(f"{path}: is a multi-frame DICOM file, which is not supported; convert it to NIfTI first")
    if int(header.get("SamplesPerPixel") or 1) > 1:
        raise InputError(f"{path}: voxels are RGB colours; give the scan itself with one number per voxel")
    lengths = {"ImagePositionPatient": 3, "ImageOrientationPatient": 6, "PixelSpacing": 2}
    for name, length in lengths.items():
        value = header.get(name)
        if value is None or isinstance(value, str) or len(value) != length:
            raise InputError(f"{path}: the DICOM header has no {name}, so the slice has no place; export it again")
    position = np.array([float(v) for v in header.ImagePositionPatient])
    orientation = np.array([float(v) for v in header.ImageOrientationPatient]).reshape(2, 3)
    return _Slice(path, header, position, orientation)


def _check_steps(folder: Path, slices: list[_Slice], steps: NDArray[np.float64], step: float) -> None:
    uneven = np.flatnonzero(np.abs(steps - step) > _UNEVEN * step)
    if not len(uneven):
        return
    at = int(uneven[0])
    ratio = steps[at] / step
    between = f"between {slices[at].path.name} and {slices[at + 1].path.name}"
    if all(round(s / step) >= 1 and abs(s / step - round(s / step)) <= _UNEVEN for s in steps):
        missing = int(sum(round(s / step) - 1 for s in steps))
        raise InputError(
            f"{folder}: {missing} of {len(slices) + missing} slices missing (the first gap is {between}, "
            f"{ratio * step:.2f} mm instead of {step:.2f} mm); export the whole series"
        )
    raise InputError(
        f"{folder}: slices are not evenly spaced ({ratio * step:.2f} mm {between}, else {step:.2f} mm); "
        "export the whole series or resample it to even slices"
    )


def _pixels(one: _Slice, shape: tuple[int, ...]) -> NDArray[np.generic]:
    """(H, W) values of one slice with rescale applied."""
    syntax = one.header.file_meta.get("TransferSyntaxUID")
    needed = shape[0] * shape[1] * int(one.header.get("BitsAllocated") or 0) // 8
    # GDCM fills up what a cut-off file lacks; only uncompressed data say how long they should be.
    cut_off = syntax is not None and not syntax.is_compressed and one.path.stat().st_size < needed
    try:
        if cut_off:
            raise RuntimeError("shorter than its pixels")
        with quiet():
            image = sitk.ReadImage(str(one.path))
    except RuntimeError as error:
        raise InputError(f"{one.path}: the DICOM file is truncated or damaged; export the series again") from error
    return np.asarray(sitk.GetArrayFromImage(image)).reshape(shape)
