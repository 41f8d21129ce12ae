"""Lesions where they were: other subjects' whole lesion masks carried into a brain, each lesion to its own place.

Multiple sclerosis has its places (beside the ventricles, in deep white matter); a lesion put anywhere teaches nothing
of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import ndimage

from pseudonormal.regions import bounding_box, moments
from pseudonormal.scan.scan import Geometry

PAD = 3  # voxels around a mask, for its soft edge
SOFT_MM = 0.6
SHIFT_MM = 3.0  # standard deviation: brains are alike to a few millimetres, when only their extents are matched
STRETCH = 0.04
# Moments of the brain in MNI152, measured on the mask that nilearn makes of the template it ships.
MNI_CENTRE = (0.0, -22.0, 9.5)  # RAS mm
MNI_SPREAD = (31.5, 40.7, 33.5)  # mm along z, y, x


@dataclass(frozen=True)
class BrainFrame:
    """Where a brain lies and how far it reaches: enough to carry a place from one upright head to another.

    :param centre: (3,) z, y, x of the centre of mass, in voxels of its grid (1 mm, RAS axes).
    :param spread: (3,) standard deviations of the brain's voxels along z, y, x.
    """

    centre: NDArray[np.float64]
    spread: NDArray[np.float64]

    @classmethod
    def of(cls, brain: NDArray[np.bool_]) -> BrainFrame:
        """Measure a brain.

        :param brain: (D, H, W), not empty.
        """
        return cls(*moments(brain))

    @classmethod
    def in_mni(cls, geometry: Geometry) -> BrainFrame:
        """The brain of MNI space, where a grid's coordinates are such.

        :param geometry: of a 1 mm grid with RAS axes.
        """
        affine = geometry.affine_ras()
        centre = np.linalg.solve(affine[:3, :3], np.array(MNI_CENTRE) - affine[:3, 3])
        return cls(np.asarray(centre[::-1], np.float64), np.array(MNI_SPREAD))


class InPlace:
    """Lesion masks of other subjects with the brains that they lie in."""

    def __init__(self, masks: Sequence[tuple[NDArray[np.bool_], BrainFrame]]) -> None:
        """Take the masks.

        :param masks: each (D, H, W) on a 1 mm grid with RAS axes, and the brain on that grid; empty masks are left out.
        """
        self._masks = []
        for mask, frame in masks:
            box = bounding_box(mask)
            if box is not None:
                soft = ndimage.gaussian_filter(np.pad(mask[box], PAD).astype(np.float32), SOFT_MM)
                first = np.array([axis.start - PAD for axis in box])
                self._masks.append((soft, BrainFrame(frame.centre - first, frame.spread)))

    def __len__(self) -> int:
        return len(self._masks)

    def draw(
        self, frame: BrainFrame, start: Sequence[int], shape: tuple[int, int, int], rng: Generator
    ) -> NDArray[np.float32]:
        """One subject's lesions as a box of another head shows them, moved and stretched a little, maybe mirrored.

        :param frame: of the other head's brain, in the voxels (1 mm) of its grid.
        :param start: z, y, x of the box's first voxel on that grid.
        :param shape: (D, H, W) of the box.
        :returns: (D, H, W) opacity in [0, 1].
        """
        soft, there = self._masks[int(rng.integers(len(self._masks)))]
        scale = there.spread / frame.spread * np.exp(rng.normal(0, STRETCH, 3))
        offset = there.centre + scale * (np.asarray(start) - frame.centre) + rng.normal(0, SHIFT_MM, 3)
        if rng.random() < 0.5:  # left for right
            scale[2], offset[2] = -scale[2], 2 * there.centre[2] - offset[2]
        carried = ndimage.affine_transform(soft, scale, offset, shape, order=1)
        return np.clip(carried, 0, 1).astype(np.float32)
