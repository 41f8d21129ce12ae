"""The frame: a cube around a point of a scan, in which shapes are judged as a whole."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from pseudonormal.regions import bounding_box

CRISP = 0.35  # of a frame voxel, standard deviation of the blur before scans are made coarser
LEAST_SHARE = 0.1  # of the largest slice of the region that a slice must show to count


@dataclass(frozen=True)
class Frame:
    """A box on the model grid (1 mm), mostly a cube.

    :param centre: voxel (z, y, x) of the model grid, may lie between voxels.
    :param shape: (D, H, W) of the box.
    :param voxel_mm: of the box's voxels.
    """

    centre: tuple[float, float, float]
    shape: tuple[int, int, int]
    voxel_mm: float

    @classmethod
    def around(cls, region: NDArray[np.bool_], edge: int, voxel_mm: float) -> Frame:
        """A frame centred on a region's box, or on the whole array where it is empty.

        :param region: (D, H, W) of the model grid.
        """
        box = bounding_box(region) or tuple(slice(0, length) for length in region.shape)
        z, y, x = ((axis.start + axis.stop - 1) / 2 for axis in box)
        return cls((z, y, x), (edge, edge, edge), voxel_mm)

    def finer(self, voxel_mm: float) -> Frame:
        """The same box in smaller voxels; edges are multiples of 16."""
        edges = [max(16, 16 * round(n * self.voxel_mm / voxel_mm / 16)) for n in self.shape]
        return Frame(self.centre, (edges[0], edges[1], edges[2]), voxel_mm)

    def image(self, image: NDArray[np.float32]) -> NDArray[np.float32]:
        """A scan of the model grid in the frame; beyond the scan its nearest voxel goes on.

        :param image: (D, H, W) float32.
        """
        return self._taken(image, "nearest")

    def mask(self, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """A mask of the model grid in the frame, cut at one half."""
        return self._taken(mask.astype(np.float32), "constant") >= 0.5

    def back(self, values: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.float32]:
        """What was found in the frame on a model grid of this shape; 0 beyond the frame."""
        offset = (np.array(self.shape) - 1) / 2 - np.array(self.centre) / self.voxel_mm
        return ndimage.affine_transform(values, [1 / self.voxel_mm] * 3, offset, shape, order=1, mode="constant")

    def to(self, other: Frame, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """What was found in this frame in another one of the same place."""
        step = other.voxel_mm / self.voxel_mm
        offset = (np.array(self.shape) - 1) / 2 - (np.array(other.shape) - 1) / 2 * step
        return ndimage.affine_transform(values, [step] * 3, offset, other.shape, order=1, mode="nearest")

    def _taken(self, array: NDArray[np.float32], beyond: str) -> NDArray[np.float32]:
        if self.voxel_mm > 1:
            array = ndimage.gaussian_filter(array, CRISP * self.voxel_mm)
        offset = np.array(self.centre) - (np.array(self.shape) - 1) / 2 * self.voxel_mm
        taken: NDArray[np.float32] = ndimage.affine_transform(
            array, [self.voxel_mm] * 3, offset, self.shape, order=1, mode=beyond
        )
        return taken


def slices_of(region: NDArray[np.bool_]) -> list[int]:
    """The axial slices that show enough of a region, (D, H, W)."""
    areas = region.sum(axis=(1, 2))
    return [int(level) for level in np.flatnonzero((areas > 0) & (areas >= LEAST_SHARE * areas.max()))]
