"""The DICOM series that a volume was loaded from: which file is which plane of the volume."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from PseudoNormalLib.export.errors import ExportError
from PseudoNormalLib.i18n import _

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_TO_RAS = np.array([-1.0, -1.0, 1.0])
_NEEDED = ("Rows", "Columns", "PixelSpacing", "ImagePositionPatient", "ImageOrientationPatient", "SOPInstanceUID")
# Part of a voxel by which a file's pixels may lie beside the volume's: files round positions, readers even out steps.
_BESIDE = 0.25


@dataclass(frozen=True)
class SourceSlice:
    """One file and its plane of the volume.

    :param header: the file's header, without pixels.
    :param corner: (3,) voxel index (i, j, k) of the file's first pixel.
    :param along_column: (3,) step in voxel index to the next pixel down a column of the picture.
    :param along_row: (3,) step in voxel index to the next pixel along a row.
    """

    header: Dataset
    corner: np.ndarray
    along_column: np.ndarray
    along_row: np.ndarray

    def plane(self, array: np.ndarray) -> np.ndarray:
        """The volume's voxels in the order of the file's pixels.

        :param array: (D, H, W).
        :returns: (rows, columns).
        """
        rows, columns = np.indices((int(self.header.Rows), int(self.header.Columns)))
        i, j, k = (
            corner + rows * down + columns * right
            for corner, down, right in zip(self.corner, self.along_column, self.along_row, strict=True)
        )
        return array[k, j, i]


def read_source_series(files: Sequence[Path], shape: tuple[int, ...], ijk_to_ras: np.ndarray) -> list[SourceSlice]:
    """Read the headers of the files that a volume was loaded from and find their places in it.

    :param files: one file a slice, in any order.
    :param shape: (D, H, W) of the volume.
    :param ijk_to_ras: (4, 4) of the volume.
    :returns: the slices in the order of their instance numbers; together they are the whole volume, each voxel once.
    :raises ExportError: the files are not one series of single slices that fill the volume's grid.
    """
    if not files:
        raise ExportError(
            _("the scan was not loaded from DICOM here; load it through the DICOM module, or export NIfTI or seg.nrrd")
        )
    headers = [_header(path) for path in files]
    for name in ("SeriesInstanceUID", "StudyInstanceUID", "PatientID"):
        if len({str(header.get(name, "")) for header in headers}) > 1:
            raise ExportError(_("the source files differ in {name}; give those of one series").format(name=name))
    slices = [_placed(header, shape, ijk_to_ras) for header in headers]
    if not _fills(slices, shape):
        raise ExportError(
            _(
                "the {count} source files do not fill the {depth} slices of the scan one by one; load the whole series "
                "again"
            ).format(count=len(files), depth=shape[0])
        )
    return sorted(slices, key=lambda one: (int(one.header.get("InstanceNumber") or 0), *one.corner.tolist()))


def _header(path: Path) -> Dataset:
    import pydicom
    from pydicom.errors import InvalidDicomError

    try:
        header = pydicom.dcmread(path, stop_before_pixels=True)
    except (InvalidDicomError, OSError, ValueError, EOFError) as error:
        raise ExportError(
            _("{path}: the DICOM file cannot be read; load the series again").format(path=path)
        ) from error
    if int(header.get("NumberOfFrames") or 1) > 1:
        raise ExportError(
            _("{path}: is a multi-frame DICOM file, which is not supported; export NIfTI or seg.nrrd").format(path=path)
        )
    missing = [name for name in _NEEDED if not header.get(name)]
    if missing:
        raise ExportError(
            _("{path}: the DICOM header has no {name}; export NIfTI or seg.nrrd").format(path=path, name=missing[0])
        )
    return header


def _placed(header: Dataset, shape: tuple[int, ...], ijk_to_ras: np.ndarray) -> SourceSlice:
    """Where the pixels of a file lie in the volume."""
    to_ijk = np.linalg.inv(ijk_to_ras)
    orientation = np.array([float(value) for value in header.ImageOrientationPatient]).reshape(2, 3) * _TO_RAS
    row_spacing, column_spacing = (float(value) for value in header.PixelSpacing)
    right = to_ijk[:3, :3] @ orientation[0] * column_spacing
    down = to_ijk[:3, :3] @ orientation[1] * row_spacing
    position = np.array([float(value) for value in header.ImagePositionPatient]) * _TO_RAS
    corner = to_ijk[:3, :3] @ position + to_ijk[:3, 3]
    opposite = corner + (int(header.Rows) - 1) * down + (int(header.Columns) - 1) * right
    placed = SourceSlice(header, *(np.rint(vector).astype(int) for vector in (corner, down, right)))
    far = placed.corner + (int(header.Rows) - 1) * placed.along_column + (int(header.Columns) - 1) * placed.along_row
    beside = max(np.abs(corner - placed.corner).max(), np.abs(opposite - far).max())
    inside = all(0 <= at < size for end in (placed.corner, far) for at, size in zip(end, shape[::-1], strict=True))
    if beside > _BESIDE or not inside or not _turned(placed):
        raise ExportError(
            _(
                "the scan does not lie on the grid of its DICOM files (it was resampled, cropped or moved); export "
                "NIfTI or seg.nrrd, or load the series again"
            )
        )
    return placed


def _turned(one: SourceSlice) -> bool:
    """Whether the file's axes are two different axes of the volume."""
    steps = np.abs([one.along_column, one.along_row])
    return bool((steps.sum(axis=1) == 1).all() and (steps.sum(axis=0) <= 1).all())


def _fills(slices: list[SourceSlice], shape: tuple[int, ...]) -> bool:
    """Whether each voxel is in exactly one file, given that all files lie inside along axes of the volume."""
    first = slices[0]
    size = np.array(shape[::-1])
    across = size[(first.along_column == 0) & (first.along_row == 0)]
    whole = all(
        (one.along_column == first.along_column).all()
        and (one.along_row == first.along_row).all()
        and int(one.header.Rows) == abs(size @ one.along_column)
        and int(one.header.Columns) == abs(size @ one.along_row)
        for one in slices
    )
    return whole and [len(slices)] == across.tolist() == [len({tuple(one.corner) for one in slices})]
