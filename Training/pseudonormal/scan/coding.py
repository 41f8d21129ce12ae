"""Between a scan's values and the numbers stored on disk, exactly."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pseudonormal.scan.scan import Storage


def decoded(stored: NDArray[Any], storage: Storage) -> tuple[NDArray[Any], Storage]:
    """Values of stored numbers: ``stored * slope + intercept``, such that :func:`encoded` gives the numbers back.

    float32 unless it cannot tell two stored numbers apart, then float64. Where even float64 cannot (tiny float
    numbers under a large intercept) the values themselves become the stored numbers.

    :param stored: (D, H, W) of ``storage.dtype``.
    :returns: the values and how they are stored.
    """
    if not storage.scaled:
        return stored, storage
    for dtype in (np.float32, np.float64):
        if _invertible(stored, storage, dtype):
            return _values(stored, storage, dtype), storage
    return _values(stored, storage, np.float64), replace(storage, dtype=np.dtype("f8"), slope=1.0, intercept=0.0)


def encoded(values: NDArray[Any], storage: Storage) -> NDArray[Any]:
    """Stored numbers for values: the inverse of :func:`decoded`; integers are rounded and clipped to their type.

    :param values: any shape, in the scan's units.
    :returns: the same shape, of ``storage.dtype``.
    """
    if values.dtype == storage.dtype and not storage.scaled:
        return values
    numbers = values.astype(np.float64)
    if storage.scaled:
        numbers = (numbers - storage.intercept) / storage.slope + 0.0  # a negative slope must not make a negative zero
    if storage.dtype.kind not in "iu":
        with np.errstate(over="ignore"):
            return numbers.astype(storage.dtype)
    limits = np.iinfo(storage.dtype)
    # float64 rounds the largest 64-bit integer up, out of its own range: the number below it is the last safe one.
    highest = float(limits.max) if float(limits.max) <= limits.max else float(np.nextafter(float(limits.max), 0))
    return np.clip(np.rint(np.nan_to_num(numbers)), float(limits.min), highest).astype(storage.dtype)


def _invertible(stored: NDArray[Any], storage: Storage, dtype: type[np.floating[Any]]) -> bool:
    """Whether values of this type lead back to the stored numbers."""
    if stored.dtype.kind in "iu":
        # Rounding the value must move it by less than half the distance between neighbouring stored numbers.
        ends = np.array([stored.min(), stored.max()], np.float64) * storage.slope
        largest = max(np.abs(ends).max(), np.abs(ends + storage.intercept).max(), abs(storage.intercept))
        return bool(4 * largest * np.finfo(dtype).eps < abs(storage.slope))
    return np.array_equal(encoded(_values(stored, storage, dtype), storage), stored)


def _values(stored: NDArray[Any], storage: Storage, dtype: type[np.floating[Any]]) -> NDArray[Any]:
    with np.errstate(over="ignore"):
        return (stored.astype(np.float64) * storage.slope + storage.intercept).astype(dtype)
