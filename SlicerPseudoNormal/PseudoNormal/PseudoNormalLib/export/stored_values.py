"""How numbers stand in a DICOM file: 16-bit integers with a slope and an intercept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from PseudoNormalLib.export.errors import ExportError
from PseudoNormalLib.i18n import _


@dataclass(frozen=True)
class StoredValues:
    """value = slope × stored + intercept.

    :param slope: greater than 0.
    :param dtype: int16 or uint16.
    """

    slope: float
    intercept: float
    dtype: np.dtype[Any]

    def stored(self, values: np.ndarray) -> np.ndarray:
        """The integers for the values, of any shape; at most half a slope beside them."""
        if self.slope == 1 and np.issubdtype(values.dtype, np.integer):
            return (values - int(self.intercept)).astype(self.dtype)
        return np.rint((values.astype(np.float64) - self.intercept) / self.slope).astype(self.dtype)

    def hold(self, low: float, high: float) -> bool:
        """Whether values in a range can be stored."""
        limits = np.iinfo(self.dtype)
        ends = np.rint((np.array([low, high]) - self.intercept) / self.slope)
        return bool(ends[0] >= limits.min and ends[1] <= limits.max)


def choose_stored_values(array: np.ndarray, source: tuple[float, float] | None) -> StoredValues:
    """A way to store a volume: exactly where the values are whole numbers, else as finely as the source was stored.

    :param array: (D, H, W) of any numeric type.
    :param source: slope and intercept of the series that the volume was made from; None where it cannot serve.
    :raises ExportError: a voxel is not finite.
    """
    if not np.isfinite(array).all():
        raise ExportError(_("the volume has voxels that are not finite numbers; DICOM cannot say those, export NIfTI"))
    low, high = float(array.min()), float(array.max())
    if np.issubdtype(array.dtype, np.integer) or np.array_equal(array, np.rint(array)):
        source = (1.0, 0.0)
    int16, uint16 = np.dtype(np.int16), np.dtype(np.uint16)
    if source is not None:
        for kind in (StoredValues(*source, int16), StoredValues(*source, uint16)):
            if kind.hold(low, high):
                return kind
    # Without intercept 0 stays 0: a difference is exactly 0 wherever nothing was restored.
    return StoredValues(_as_written(max(-low, high) / np.iinfo(np.int16).max), 0.0, int16)


def _as_written(slope: float) -> float:
    """The slope as 16 characters can say it, rounded up so that the largest value still fits."""
    from pydicom.valuerep import format_number_as_ds

    return float(format_number_as_ds(slope * (1 + 1e-9)))
