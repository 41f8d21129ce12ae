"""Put the restored tissue into the scan, on the scan's own grid and in its own number type."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pseudonormal.scan.scan import Scan, Storage


def composite(scan: Scan, normal_native: NDArray[np.floating], lesion_native: NDArray[np.bool_]) -> NDArray:
    """Replace the lesion's voxels by the restored ones and leave every other voxel alone.

    ``result = where(lesion, as_stored(normal), input)``. The edge is hard: a feathered edge inside the mask would mix
    the diseased intensities back in at the lesion's rim. Restored values are brought to what the file can hold
    (rounded to the storage's step and clipped to its range), so that the pseudo-normal in memory is the one on disk.

    :param scan: the scan; its array is (D, H, W) in scan units.
    :param normal_native: (D, H, W) restored values in scan units on the scan's grid; read inside the lesion only.
    :param lesion_native: (D, H, W) the voxels to replace.
    :returns: (D, H, W) of the scan array's type, equal to it bit for bit outside the lesion.
    :raises ValueError: the shapes differ, or a restored value inside the lesion is not finite.
    """
    lesion = np.asarray(lesion_native, bool)
    if normal_native.shape != scan.array.shape or lesion.shape != scan.array.shape:
        raise ValueError(f"shapes differ: scan {scan.array.shape}, restored {normal_native.shape}, mask {lesion.shape}")
    restored = normal_native[lesion].astype(np.float64)
    if not np.isfinite(restored).all():
        raise ValueError("the restored tissue holds values that are not finite")
    result = scan.array.copy()
    result[lesion] = _as_stored(restored, scan.array.dtype, scan.storage)
    return result


def _as_stored(values: NDArray[np.float64], dtype: np.dtype, storage: Storage) -> NDArray:
    """Round and clip values to those that the array's type and the storage on disk can both hold."""
    if np.issubdtype(storage.dtype, np.integer) and storage.slope != 0:
        stored = _clip(np.rint((values - storage.intercept) / storage.slope), storage.dtype)
        values = stored * storage.slope + storage.intercept
    if np.issubdtype(dtype, np.integer):
        values = np.rint(values)
    return _clip(values, dtype).astype(dtype)


def _clip(values: NDArray[np.float64], dtype: np.dtype) -> NDArray[np.float64]:
    """Clip to a type's range; the largest 64-bit integers have no float64 and give way to the next one below."""
    limits = np.iinfo(dtype) if np.issubdtype(dtype, np.integer) else np.finfo(dtype)
    low, high = float(limits.min), float(limits.max)
    if np.issubdtype(dtype, np.integer) and int(high) > int(limits.max):
        high = float(np.nextafter(high, 0.0))
    return np.clip(values, low, high)
