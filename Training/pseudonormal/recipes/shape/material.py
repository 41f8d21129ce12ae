"""What recipe ``shape`` learns from: scans that nobody has drawn in, and where masks come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pseudonormal.recipes.shape.frame import Frame, slices_of
from pseudonormal.recipes.shape.masks import MaskSource


@dataclass(frozen=True)
class Framed:
    """A scan in the frame.

    :param case: its name.
    :param image: (D, H, W) float32, 0 to 1 is most of it; D = 1 for a single slice.
    :param region: (D, H, W) what of it counts: the brain, or what is not air.
    :param truth: (D, H, W) its mask, where it is known: to judge, never to learn from.
    :param frame: where it lies on the scan's model grid.
    """

    case: str
    image: NDArray[np.float32]
    region: NDArray[np.bool_]
    truth: NDArray[np.bool_] | None = None
    frame: Frame | None = None

    @cached_property
    def levels(self) -> list[int]:
        """The slices that are looked at in 2D."""
        return slices_of(self.region)


@dataclass(frozen=True)
class Picture:
    """What a network sees at once: a whole volume, or one axial slice.

    :param image: (*S) float32; region and truth likewise.
    :param scan: the scan's number in its list, and ``level`` the slice's (0 for a volume).
    """

    image: NDArray[np.float32]
    region: NDArray[np.bool_]
    truth: NDArray[np.bool_] | None
    scan: int
    level: int


@dataclass(frozen=True)
class ShapeMaterial:
    """Training material.

    :param scans: to learn from.
    :param masks: auxiliary masks, of other subjects.
    :param held_out: scans that are not learnt from: how good it is is estimated on these.
    :param fine: the scans again in smaller voxels, for what is learnt from pseudo-labels; ``fine_held_out`` likewise.
        Empty: no smaller ones.
    :param sized: draws masks that are as large, on the whole, as the objects in the scans. None: nobody knows.
    :param placed: draws masks that lie in the frame where the objects in the scans do, (D, H, W). None: nobody knows.
    """

    scans: Sequence[Framed]
    masks: MaskSource
    held_out: Sequence[Framed] = ()
    fine: Sequence[Framed] = field(default=())
    fine_held_out: Sequence[Framed] = field(default=())
    sized: MaskSource | None = None
    placed: MaskSource | None = None


def pictures_of(scans: Sequence[Framed], dimensions: int) -> list[Picture]:
    """All volumes, or all slices that show enough of the region."""
    found = []
    for number, scan in enumerate(scans):
        if dimensions == 3:
            found.append(Picture(scan.image, scan.region, scan.truth, number, 0))
            continue
        for level in scan.levels:
            truth = None if scan.truth is None else scan.truth[level]
            found.append(Picture(scan.image[level], scan.region[level], truth, number, level))
    return found
