"""A scan: voxels and the geometry that places them in the patient."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Geometry:
    """Where voxels lie in the patient.

    Axis order is x, y, z (fastest first), as in ITK, whereas arrays are indexed ``[z, y, x]``. Lengths are in mm
    and the frame is LPS (x to the patient's left, y to the back, z to the head).

    :param size: number of voxels along x, y, z.
    :param spacing: voxel edge lengths in mm along x, y, z.
    :param origin: LPS position of the centre of voxel (0, 0, 0).
    :param direction: 3x3 direction cosines, row-major; column ``i`` is the LPS direction of axis ``i``.
    """

    size: tuple[int, int, int]
    spacing: tuple[float, float, float]
    origin: tuple[float, float, float]
    direction: tuple[float, ...]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Array shape (D, H, W), that is z, y, x."""
        return self.size[2], self.size[1], self.size[0]

    @property
    def voxel_ml(self) -> float:
        """Volume of one voxel in ml."""
        return float(np.prod(self.spacing)) / 1000.0

    def affine_ras(self) -> NDArray[np.float64]:
        """4x4 matrix from voxel index (i, j, k) = (x, y, z) to RAS mm."""
        affine = np.eye(4)
        affine[:3, :3] = np.reshape(self.direction, (3, 3)) * np.asarray(self.spacing)
        affine[:3, 3] = self.origin
        return np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine

    def to_ras(self, zyx: NDArray[np.floating]) -> NDArray[np.float64]:
        """Map array indices to patient space.

        :param zyx: (N, 3) array indices in ``[z, y, x]`` order, may be fractional.
        :returns: (N, 3) RAS mm.
        """
        affine = self.affine_ras()
        return np.asarray(zyx, np.float64)[:, ::-1] @ affine[:3, :3].T + affine[:3, 3]


@dataclass(frozen=True)
class Storage:
    """How a scan's numbers stand on disk: ``value = stored * slope + intercept``.

    :param header: the NIfTI header as it was read (348 or 540 bytes), so that the output can carry the same
        transforms; None for other formats.
    """

    dtype: np.dtype
    slope: float = 1.0
    intercept: float = 0.0
    header: bytes | None = None

    @property
    def scaled(self) -> bool:
        """Whether values differ from the stored numbers."""
        return (self.slope, self.intercept) != (1.0, 0.0)


@dataclass(frozen=True)
class Scan:
    """One 3D scan.

    :param array: (D, H, W) values in the scan's own units; of the on-disk type when that is unscaled, else float32
        (float64 where float32 could not tell two stored numbers apart).
    :param geometry: its place in the patient (LPS mm).
    :param source: the file or DICOM folder it was read from.
    :param storage: type and scaling of the numbers on disk.
    """

    array: NDArray
    geometry: Geometry
    source: Path
    storage: Storage

    def with_array(self, array: NDArray) -> Scan:
        """The same scan with other values on the same grid."""
        return replace(self, array=array)
