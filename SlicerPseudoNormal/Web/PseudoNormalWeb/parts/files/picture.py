"""A scan or mask that was read from files and does not stand in the scene yet."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
_SHOWN = (0.1, 99.9)
"""Percentiles of the grey values between which Slicer's window lies."""
_SAMPLE = 1_000_000
_MOST_LABELS, _LARGEST_LABEL = 16, 255


class FileError(ValueError):
    """The user's file is at fault; the text is one line that says which, what is wrong and what to do."""


@dataclass(frozen=True, eq=False)
class Picture:
    """Voxels, place and name.

    :param name: as desktop Slicer would call it.
    :param array: (D, H, W).
    :param ijk_to_ras: (4, 4) from voxel index (i, j, k, 1) to RAS mm, right-handed.
    :param label_map: it holds labels, no grey values.
    :param files: the DICOM files, one a slice, in the order of the slices.
    :param patient: the patient's id in them; empty where it is not known.
    """

    name: str
    array: np.ndarray
    ijk_to_ras: np.ndarray
    label_map: bool = False
    files: tuple[Path, ...] = ()
    patient: str = ""

    @property
    def window_level(self) -> tuple[float, float]:
        """The grey window that Slicer chooses when it loads a scan, from a part of the voxels where there are many."""
        voxels = self.array.reshape(-1)
        low, high = np.nanpercentile(voxels[:: max(1, voxels.size // _SAMPLE)], _SHOWN)
        return float(max(high - low, 1e-6)), float((low + high) / 2)


def placed(array: np.ndarray, spacing: np.ndarray, origin: np.ndarray, axes: np.ndarray) -> tuple[np.ndarray, ...]:
    """Voxels with the matrix that Slicer gives them, which has a left-handed grid's slices in reverse.

    :param array: (D, H, W).
    :param spacing: (3,) mm along i, j, k.
    :param origin: (3,) LPS mm.
    :param axes: (3, 3) column n is the LPS direction of axis n.
    :returns: (D, H, W) voxels and the (4, 4) matrix from voxel index (i, j, k, 1) to RAS mm.
    """
    matrix = np.eye(4)
    matrix[:3, :3] = axes * spacing
    matrix[:3, 3] = origin
    matrix = _TO_RAS @ matrix
    if np.linalg.det(matrix[:3, :3]) < 0:
        matrix[:3, 3] += matrix[:3, 2] * (array.shape[0] - 1)
        matrix[:3, 2] *= -1
        array = array[::-1]
    return array, matrix


def holds_labels(array: np.ndarray) -> bool:
    """Whether voxels are labels: a few small whole numbers, 0 the background."""
    some = np.unique(array[::4, ::4, ::4])
    if len(some) > _MOST_LABELS or array.min() != 0 or not 0 < array.max() <= _LARGEST_LABEL:
        return False
    values = np.unique(array)
    return len(values) <= _MOST_LABELS and bool((values == np.rint(values)).all())
