"""What the segmentor took for lesion at the last check: where unlabelled scans are restored."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage

from pseudonormal.training.references import Reference

_WHOLE = 255
CALM = 0.1  # probability below which tissue passes for normal
AWAY = 2  # voxels that normal tissue keeps from what does not


class Guesses:
    """A lesion probability for each scan, in memory that all processes that draw samples share.

    The process that trains puts new ones in when it checks; those that draw see them at once.
    """

    def __init__(self, scans: Sequence[Reference]) -> None:
        """Begin with nothing found, and nothing known to be normal."""
        self._brains = {scan.case: scan.brain for scan in scans}
        self._kept = _shared(scans, torch.uint8)
        self._calm = _shared(scans, torch.bool)

    def put(self, case: str, probability: NDArray[np.float32]) -> None:
        """Replace what is known of a scan; (D, H, W) in [0, 1]."""
        self._kept[case].copy_(torch.from_numpy(np.rint(probability * _WHOLE).astype(np.uint8)))
        doubtful = ndimage.binary_dilation(probability >= CALM, iterations=AWAY)
        self._calm[case].copy_(torch.from_numpy(self._brains[case] & ~doubtful))

    def lesion(self, case: str) -> NDArray[np.bool_]:
        """Where lesion is more probable than not, (D, H, W)."""
        found: NDArray[np.bool_] = self._kept[case].numpy() > _WHOLE // 2
        return found

    def calm(self, case: str) -> NDArray[np.bool_]:
        """Brain that passes for normal, (D, H, W): at some distance from whatever may be a lesion."""
        calm: NDArray[np.bool_] = self._calm[case].numpy().copy()  # another process may just be writing it
        return calm


def _shared(scans: Sequence[Reference], kind: torch.dtype) -> dict[str, torch.Tensor]:
    """Zeros for each scan, in one block: each piece of shared memory would hold an open file."""
    ends = np.cumsum([0, *(scan.image.size for scan in scans)])
    whole = torch.zeros(int(ends[-1]), dtype=kind).share_memory_()
    places = zip(scans, ends[:-1], ends[1:], strict=True)
    return {scan.case: whole[first:last].view(scan.image.shape) for scan, first, last in places}
