"""How unpaired learning fails, told from masks and pictures without any truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from pseudonormal.recipes.shape.place import lie_alike

PAIRS = 60
REACH = 0.12  # of the edge: how far a shifted mask is looked for
SHIFT_VOXELS = 2.0  # from which a constant offset is told
STEEPEST = 85  # percentile of the gradients from which they are all alike
BETTER = 1.15  # how much better they must fit there
SAME = 1.001  # below it no place is better than where they lie
ALIKE = 0.95  # overlap of masks of different scans from which they are all the same
LESS_ALIKE = 0.1  # by how much auxiliary masks are less alike then
SPARSE = 0.2  # of the area of auxiliary masks, below which hardly anything is marked
FEWEST = 4  # masks


@dataclass(frozen=True)
class Signs:
    """What is measured.

    :param area: mean share of the frame; ``known_area`` that of auxiliary masks.
    :param inside_out: whether the masks' complements fit the auxiliary masks better than they do.
    :param offset: voxels along each axis by which all masks would fit better.
    :param better: how much better, as a ratio of gradients or of how far they lie from where auxiliary masks do.
    :param by_place: auxiliary masks lie much alike, so their place tells the offset; else the pictures' edges do.
    :param alike: mean Dice of masks of different pictures; ``known_alike`` that of auxiliary masks.
    """

    area: float
    known_area: float
    inside_out: bool
    offset: tuple[float, ...]
    better: float
    by_place: bool
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
        if distance >= SHIFT_VOXELS and self.better >= BETTER and not self.inside_out:
            missed = "where auxiliary masks lie" if self.by_place else "the edges that they follow"
            found.append(
                f"all masks lie about {distance:.0f} frame voxels beside {missed}: begin anew with another seed, or "
                "lower image_weight"
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
    share: NDArray[np.float64] = np.mean(masks, 0, np.float64)
    known_share: NDArray[np.float64] = np.mean(known, 0, np.float64)
    fits, turned = np.abs(share - known_share).mean(), np.abs((1 - share) - known_share).mean()
    by_place = lie_alike(known)
    fit = _fit_in_place(share, known_share) if by_place else _fit_to_edges(masks, pictures)
    here = (fit.shape[0] // 2,) * fit.ndim
    best = np.unravel_index(int(np.argmax(fit)), fit.shape) if fit.max() > SAME * fit[here] else here
    offset, better = tuple(float(b - h) for b, h in zip(best, here, strict=True)), float(fit[best] / fit[here])
    return Signs(area, known_area, bool(turned < fits), offset, better, by_place, _alike(masks), _alike(known))


def _alike(masks: Sequence[NDArray[np.bool_]]) -> float:
    """Mean Dice over pairs of masks that are not empty."""
    drawn = [mask for mask in masks if mask.any()]
    pairs = list(combinations(range(len(drawn)), 2))
    if not pairs:
        return 0.0
    pairs = pairs[:: max(1, len(pairs) // PAIRS)]
    return float(np.mean([2 * (drawn[a] & drawn[b]).sum() / (drawn[a].sum() + drawn[b].sum()) for a, b in pairs]))


def _reach(edge: int) -> int:
    return max(2, round(REACH * edge))


def _fit_in_place(share: NDArray[np.float64], known_share: NDArray[np.float64]) -> NDArray[np.float64]:
    """How well masks would lie where auxiliary ones do if all were shifted alike.

    One over the root mean square of how much less or more often they would have a voxel.

    :returns: of shifts from -reach to reach along each axis.
    """
    reach = _reach(share.shape[-1])
    # padded, so that nothing that is shifted comes in again on the other side
    there, here = (np.fft.rfftn(np.pad(often, reach)) for often in (known_share, share))
    shifts = np.ix_(*[np.arange(-reach, reach + 1)] * share.ndim)
    overlap = np.fft.irfftn(there * here.conj(), [n + 2 * reach for n in share.shape], range(share.ndim))[shifts]
    squares = (np.square(share).sum() + np.square(known_share).sum() - 2 * overlap) / share.size
    fit: NDArray[np.float64] = 1 / np.sqrt(squares.clip(1e-9))
    return fit


def _fit_to_edges(masks: Sequence[NDArray[np.bool_]], pictures: Sequence[NDArray[np.float32]]) -> NDArray[np.float64]:
    """How steep the pictures' gradients are on the masks' outlines if all masks were shifted alike.

    All shifts at once: the sum over pictures of the correlation of outline and gradient.

    :returns: of shifts from -reach to reach along each axis; 1 where nothing is marked.
    """
    dimensions, reach = masks[0].ndim, _reach(masks[0].shape[-1])
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
    return ndimage.uniform_filter(total, 3, mode="nearest") if total.any() else np.ones_like(total)
