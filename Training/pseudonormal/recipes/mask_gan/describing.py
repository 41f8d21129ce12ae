"""Lesion masks in a few numbers: how large, how long, where."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pseudonormal.recipes.mask_gan.frame import REACH, size_of_voxel, voxel_mm
from pseudonormal.regions import largest

THINNEST = 0.5  # voxels: standard deviation that a flat mask counts with, so that its elongation stays finite
LESION = 0.5


@dataclass(frozen=True)
class Description:
    """A mask in numbers.

    :param size: ml, or cm² of a slice, in a brain of MNI's size.
    :param elongation: of the largest piece: longest to shortest standard deviation of its voxels.
    :param place: centre of mass, x (right), y (front) and in a volume z (top), in standard deviations of the brain.
    """

    size: float
    elongation: float
    place: tuple[float, ...]

    def values(self) -> dict[str, float]:
        """The numbers by name."""
        names = ("right", "front", "top")
        return {"size": self.size, "elongation": self.elongation, **dict(zip(names, self.place, strict=False))}


def describe(mask: NDArray[np.float32]) -> Description | None:
    """Measure a mask in the frame.

    :param mask: (edge, edge, edge) or an axial slice (edge, edge), in [0, 1].
    :returns: None when no voxel is more lesion than not.
    """
    lesion = mask > LESION
    if not lesion.any():
        return None
    edge, dimensions = mask.shape[-1], mask.ndim
    piece = largest(lesion if dimensions == 3 else lesion[None])
    steps = voxel_mm(edge)
    places = np.argwhere(piece) * steps
    places = places[:, 3 - dimensions :]
    spread = np.cov(places.T, ddof=0) + np.diag((THINNEST * steps[3 - dimensions :]) ** 2)
    variances = np.linalg.eigvalsh(spread)
    centre = (np.argwhere(lesion).mean(0) - (edge - 1) / 2) * 2 * REACH / edge
    size = float(lesion.sum()) * size_of_voxel(dimensions, edge)
    return Description(size, float(np.sqrt(variances[-1] / variances[0])), tuple(float(c) for c in centre[::-1]))
