"""How unpaired learning fails, told from masks and pictures without any truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

PAIRS = 60
REACH = 0.12  # of the edge: how far a shifted mask is looked for
SHIFT_VOXELS = 2.0  # from which a constant offset is told
STEEPEST = 85  # percentile of the gradients from which they are all alike
SHARPER = 1.15  # how much better the edges must fit there
ALIKE = 0.95  # overlap of masks of different scans from which they are all the same
LESS_ALIKE = 0.1  # by how much auxiliary masks are less alike then
SPARSE = 0.2  # of the area of auxiliary masks, below which hardly anything is marked
FEWEST = 4  # masks


@dataclass(frozen=True)
class Signs:
    """What is measured.

    :param area: mean share of the frame; ``known_area`` that of auxiliary masks.
    :param inside_out: whether the masks' complements fit the auxiliary masks better than they do.
    :param offset: voxels along each axis by which all masks would fit the pictures' edges better.
    :param sharper: how much better, as a ratio of gradients.
    :param alike: mean Dice of masks of different pictures; ``known_alike`` that of auxiliary masks.
    """

    area: float
    known_area: float
    inside_out: bool
    offset: tuple[float, ...]
    sharper: float
    alike: float
    known_alike: float

    def warnings(self) -> list[str]:
        """One line each: what goes wrong and what to do."""
        found = []
        if self.area == 0:
            return ["nothing is marked in any scan: raise mask_weight, or train longer"]
        if self.area < SPARSE * self.known_area:
            found.append(
                f"hardly anything is marked, {self.area / self.known_area:.0%} of what auxiliary masks mark: begin "
                "anew with another seed, or raise shape_share and mask_weight"
            )
        if self.inside_out:
            found.append(
                "masks are inside out (they mark what surrounds the object): begin anew with another seed, or raise "
                "prior_weight and shape_share"
            )
        distance = float(np.linalg.norm(self.offset))
        if distance >= SHIFT_VOXELS and self.sharper >= SHARPER and not self.inside_out:
            found.append(
                f"all masks lie about {distance:.0f} frame voxels beside the edges that they follow: begin anew with "
                "another seed, or lower image_weight"
            )
        if self.alike >= ALIKE and self.alike - self.known_alike >= LESS_ALIKE:
            found.append(
                "all scans get the same mask, whatever they show: raise image_weight, or lower prior_weight and "
                "adv_weight"
            )
        return found


def signs(
    masks: Sequence[NDArray[np.bool_]], pictures: Sequence[NDArray[np.float32]], known: Sequence[NDArray[np.bool_]]
) -> Signs:
    """Measure.

    :param masks: (*S) each, found in ``pictures``.
    :param known: auxiliary masks, of other subjects; all of one shape, at least four of each.
    """
    area, known_area = (float(np.mean([mask.mean() for mask in these])) for these in (masks, known))
    share, known_share = np.mean(masks, 0, np.float64), np.mean(known, 0, np.float64)
    fits, turned = np.abs(share - known_share).mean(), np.abs((1 - share) - known_share).mean()
    offset, sharper = _offset(masks, pictures)
    return Signs(area, known_area, bool(turned < fits), offset, sharper, _alike(masks), _alike(known))


def _alike(masks: Sequence[NDArray[np.bool_]]) -> float:
    """Mean Dice over pairs of masks that are not empty."""
    drawn = [mask for mask in masks if mask.any()]
    pairs = list(combinations(range(len(drawn)), 2))
    if not pairs:
        return 0.0
    pairs = pairs[:: max(1, len(pairs) // PAIRS)]
    return float(np.mean([2 * (drawn[a] & drawn[b]).sum() / (drawn[a].sum() + drawn[b].sum()) for a, b in pairs]))


def _offset(masks: Sequence[NDArray[np.bool_]], pictures: Sequence[NDArray[np.float32]]) -> tuple[tuple, float]:
    """The common shift at which the masks' outlines lie on the steepest gradients, and how much steeper.

    All shifts at once: the sum over pictures of the correlation of outline and gradient.
    """
    dimensions, edge = masks[0].ndim, masks[0].shape[-1]
    reach = max(2, round(REACH * edge))
    total = np.zeros((2 * reach + 1,) * dimensions)
    for mask, picture in zip(masks, pictures, strict=True):
        outline = mask ^ ndimage.binary_erosion(mask, border_value=1)
        if not outline.any():
            continue
        steep = ndimage.gaussian_gradient_magnitude(picture, 1.0)
        steep = np.minimum(steep, np.percentile(steep, STEEPEST))  # the skull is no better an edge than the brain's
        steep = np.pad(steep / max(float(steep.mean()), 1e-6), reach, mode="edge")
        points = np.argwhere(outline)
        for index in np.ndindex(*total.shape):
            total[index] += steep[tuple((points + index).T)].mean()
    if not total.any():
        return (0.0,) * dimensions, 1.0
    smooth = ndimage.uniform_filter(total, 3, mode="nearest")
    best = np.unravel_index(int(np.argmax(smooth)), smooth.shape)
    here = smooth[(reach,) * dimensions]
    return tuple(float(b - reach) for b in best), float(smooth[best] / here)
