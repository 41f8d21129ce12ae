"""Linear and nearest-neighbour interpolation along one axis."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse


def along_axis(
    array: NDArray[Any], axis: int, size: int, pitch: float, kind: Literal["linear", "nearest"], smooth: bool = True
) -> NDArray[Any]:
    """Resample one axis to ``size`` samples that lie ``pitch`` old samples apart, keeping the centre of the axis.

    Past the outermost samples values continue constant. With ``smooth``, sampling coarser than before weighs old
    samples by a triangle as wide as the new spacing (instead of the old), which is linear interpolation that does not
    alias; the weights of each new sample sum to 1.

    :param array: (D, H, W); float32 for "linear".
    :returns: the same shape but for ``size`` along ``axis``.
    """
    old = array.shape[axis]
    position = (old - 1) / 2 + (np.arange(size) - (size - 1) / 2) * pitch
    if kind == "nearest":
        return array.take(np.clip(np.rint(position).astype(int), 0, old - 1), axis=axis)
    weights = _weights(position, old, max(1.0, pitch) if smooth else 1.0)
    if axis == 0:
        flat = weights @ array.reshape(old, -1)
        return np.asarray(flat.reshape(size, *array.shape[1:]))
    result = np.empty((*array.shape[:axis], size, *array.shape[axis + 1 :]), np.float32)
    for plane, out in zip(array, result, strict=True):
        if axis == 1:
            out[:] = weights @ np.ascontiguousarray(plane)
        else:
            out[:] = (weights @ np.ascontiguousarray(plane.T)).T
    return result


def _weights(position: NDArray[np.float64], old: int, width: float) -> sparse.csr_array:
    """(new, old) matrix of triangle weights of half-width ``width``: rows sum to 1 and centre on the position."""
    reach = int(np.ceil(width))
    taps = np.floor(position).astype(int)[:, None] + np.arange(1 - reach, reach + 1)
    weight = np.maximum(0.0, 1.0 - np.abs(position[:, None] - taps) / width)
    weight /= weight.sum(axis=1, keepdims=True)
    # A triangle of broken width leans to one side; setting its first moment right keeps linear functions what they are.
    aside = taps - (weight * taps).sum(axis=1, keepdims=True)
    spread = np.maximum((weight * aside**2).sum(axis=1, keepdims=True), 1e-12)
    weight *= 1 + (position[:, None] - (weight * taps).sum(axis=1, keepdims=True)) / spread * aside
    rows = np.repeat(np.arange(len(position)), taps.shape[1])
    entries = (weight.ravel().astype(np.float32), (rows, np.clip(taps, 0, old - 1).ravel()))
    return sparse.coo_array(entries, shape=(len(position), old)).tocsr()
