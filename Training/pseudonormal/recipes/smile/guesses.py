"""What the segmentor took for lesion at the last check: where unlabelled scans are restored."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from pseudonormal.training.references import Reference

_WHOLE = 255


class Guesses:
    """A lesion probability for each scan, in memory that all processes that draw samples share.

    The process that trains puts new ones in when it checks; those that draw see them at once.
    """

    def __init__(self, scans: Sequence[Reference]) -> None:
        """Begin with nothing found."""
        ends = np.cumsum([0, *(scan.image.size for scan in scans)])
        # one block for all: each piece of shared memory would hold an open file
        self._all = torch.zeros(int(ends[-1]), dtype=torch.uint8).share_memory_()
        self._kept = {
            scan.case: self._all[first:last].view(scan.image.shape)
            for scan, first, last in zip(scans, ends[:-1], ends[1:], strict=True)
        }

    def put(self, case: str, probability: NDArray[np.float32]) -> None:
        """Replace what is known of a scan; (D, H, W) in [0, 1]."""
        self._kept[case].copy_(torch.from_numpy(np.rint(probability * _WHOLE).astype(np.uint8)))

    def lesion(self, case: str) -> NDArray[np.bool_]:
        """Where lesion is more probable than not, (D, H, W)."""
        found: NDArray[np.bool_] = self._kept[case].numpy() > _WHOLE // 2
        return found
