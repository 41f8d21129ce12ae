"""What every scan must satisfy, whatever file format it came in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pseudonormal.errors import InputError
from pseudonormal.scan.scan import Geometry

# Longer than any patient: a header that says so has its spacing in the wrong unit.
LARGEST_FIELD_MM = 3000.0
# How far (as a matrix entry) axes may be from perpendicular before rounding can no longer be the reason.
LARGEST_SHEAR = 0.01


def spatial_size(path: Path, size: tuple[int, ...]) -> tuple[int, int, int]:
    """Check that an image has three dimensions with something in them.

    :param size: number of voxels along the spatial axes, x first.
    :raises InputError: when it is empty or two-dimensional.
    """
    if any(n < 1 for n in size):
        raise InputError(f"{path}: the image is empty (size {_times(size)}); export it again")
    if len(size) < 3 or min(size) == 1:
        raise InputError(f"{path}: the image is 2D (size {_times(size)}); a 3D scan is needed, give the whole volume")
    if len(size) > 3:
        raise InputError(f"{path}: the image has {len(size)} spatial dimensions; a 3D scan is needed")
    return size[0], size[1], size[2]


def choose_volume(path: Path, count: int, volume: int | None) -> int:
    """Which volume of a 4D image to read, counted from 0.

    :param count: number of volumes in the file.
    :param volume: what the user chose, None when nothing was chosen.
    :raises InputError: when there are several and none was chosen, or the chosen one does not exist.
    """
    if count == 0:
        raise InputError(f"{path}: the image is empty (0 volumes); export it again")
    if volume is None:
        if count > 1:
            raise InputError(
                f"{path}: the image is 4D with {count} volumes; choose one with --volume N (0 to {count - 1})"
            )
        return 0
    if not 0 <= volume < count:
        held = "one volume" if count == 1 else f"{count} volumes"
        raise InputError(
            f"{path}: there is no volume {volume}, the image holds {held}; give --volume a number from 0 to {count - 1}"
        )
    return volume


def checked_spacing(path: Path, spacing: Any, size: tuple[int, int, int]) -> tuple[float, float, float]:
    """Voxel spacing as the header gives it, x first, in mm.

    :raises InputError: when it is zero, negative, not a number or impossibly large.
    """
    x, y, z = (float(value) for value in spacing)
    said = f"({x:g}, {y:g}, {z:g}) mm"
    if not np.all(np.isfinite((x, y, z))):
        raise InputError(f"{path}: the voxel spacing {said} is not a number; correct the header or convert it again")
    if min(x, y, z) <= 0:
        word = "zero" if min(x, y, z) == 0 else "negative"
        raise InputError(f"{path}: the voxel spacing {said} is {word}; correct the header or convert it again")
    if max(x * size[0], y * size[1], z * size[2]) > LARGEST_FIELD_MM:
        raise InputError(
            f"{path}: the voxel spacing {said} makes the image longer than {LARGEST_FIELD_MM / 1000:g} m; "
            "correct the header (is it in mm?)"
        )
    return x, y, z


def nearest_rotation(matrix: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """The orthonormal matrix nearest to one whose columns are unit vectors (polar decomposition).

    :param matrix: 3x3.
    :returns: None when the columns are further from perpendicular than rounding explains.
    """
    left, _, right = np.linalg.svd(matrix)
    nearest: NDArray[np.float64] = left @ right
    if np.abs(nearest - matrix).max() > LARGEST_SHEAR:
        return None
    # A header that is orthonormal to float64 rounding stays as it is.
    return matrix if np.abs(nearest - matrix).max() < 1e-12 else nearest


def checked_direction(path: Path, axes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Direction cosines from axis vectors of any length.

    :param axes: 3x3, column i is the direction of axis i.
    :raises InputError: when the matrix is singular or its axes are not perpendicular.
    """
    lengths = np.linalg.norm(axes, axis=0)
    if not np.all(np.isfinite(axes)) or lengths.min() <= 0 or abs(np.linalg.det(axes / lengths)) < 1e-3:
        raise InputError(f"{path}: the direction matrix is singular; correct the header or convert it again")
    rotation = nearest_rotation(axes / lengths)
    if rotation is None:
        raise InputError(
            f"{path}: the axes of the direction matrix are not perpendicular (sheared); resample the scan to a "
            "rectangular grid first"
        )
    return rotation


def geometry(path: Path, size: tuple[int, int, int], spacing: Any, origin: Any, axes: NDArray[np.float64]) -> Geometry:
    """A checked :class:`Geometry` (LPS mm) from what a header says.

    :param axes: 3x3, column i is the LPS direction of axis i, of any length.
    :raises InputError: when spacing, origin or direction cannot be right.
    """
    x, y, z = (float(value) for value in origin)
    if not np.all(np.isfinite((x, y, z))):
        raise InputError(f"{path}: the origin is not a number; correct the header or convert it again")
    direction = checked_direction(path, axes)
    return Geometry(size, checked_spacing(path, spacing, size), (x, y, z), tuple(float(d) for d in direction.flat))


def check_values(path: Path, array: NDArray[Any]) -> None:
    """Check that voxels hold finite numbers and that there is something to see.

    :param array: (D, H, W) values.
    :raises InputError: on NaN, infinity, numbers float32 cannot hold, or a constant image.
    """
    if array.dtype.kind == "f":
        bad = array.size - int(np.count_nonzero(np.isfinite(array)))
        if bad:
            raise InputError(
                f"{path}: {bad} of {array.size} voxels are NaN or infinite; replace them (for instance by 0) first"
            )
    low, high = array.min(), array.max()
    if low == high:
        what = "all voxels are zero" if low == 0 else f"all voxels have the same value ({float(low):g})"
        raise InputError(f"{path}: {what}, there is nothing to see; give a scan with contents")
    if max(abs(float(low)), abs(float(high))) > float(np.finfo(np.float32).max):
        raise InputError(f"{path}: values reach {float(high):.3g}, too large for 32-bit floats; rescale the scan first")


def _times(size: tuple[int, ...]) -> str:
    return "x".join(str(n) for n in size)
