"""LesionSource: puts simulated lesions into normal tissue and keeps the truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from pseudonormal.lesions.appearance import FAMILIES, Family
from pseudonormal.lesions.shapes import ShapeSource
from pseudonormal.regions import largest

PLACES_TRIED = 40
LEAST_INSIDE = 0.75  # share of a shape that has to lie in allowed tissue (as in the BraTS inpainting challenge)
EDGE = 0.05  # opacity below which a lesion leaves no trace
SOFT_MM = 1.2  # how far a shape's soft edge reaches beyond its surface, down to EDGE
FEWEST = 8  # voxels; no shape is drawn smaller


@dataclass(frozen=True)
class SimulatedLesion:
    """A scan with one lesion of known truth.

    :param image: (D, H, W) float32 scaled intensities with the lesion.
    :param mask: (D, H, W) every voxel that the lesion may have changed.
    :param truth: (D, H, W) the scan without it; equals ``image`` outside ``mask`` bit for bit.
    :param opacity: (D, H, W) float32 in [0, 1].
    :param record: JSON-ready parameters: family, shape, centre (z, y, x voxel), volume_ml and what the family drew.
    """

    image: NDArray[np.float32]
    mask: NDArray[np.bool_]
    truth: NDArray[np.float32]
    opacity: NDArray[np.float32]
    record: dict[str, Any]


@dataclass(frozen=True)
class Place:
    """Where a shape was put: opacity in [0, 1] on a box of the scan."""

    box: tuple[slice, slice, slice]
    opacity: NDArray[np.float32]
    record: dict[str, Any]


class LesionSource:
    """Draws a shape, a place and an appearance.

    The same generator state gives the same lesion. Shape and place are drawn before the appearance, so that several
    families can be compared at one place (:meth:`place`, then :meth:`paint`).
    """

    def __init__(self, shapes: Sequence[ShapeSource], families: Mapping[str, Family] = FAMILIES) -> None:
        """Take the shapes to draw from (each with equal odds) and the appearance families by name."""
        self._shapes = list(shapes)
        self.families = dict(families)

    def sample(
        self,
        image: NDArray[np.float32],
        allowed: NDArray[np.bool_],
        rng: Generator,
        *,
        family: str | None = None,
        volume_ml: tuple[float, float] = (0.2, 40.0),
    ) -> SimulatedLesion | None:
        """Simulate one lesion.

        :param image: (D, H, W) float32 scaled intensities, 1 mm voxels.
        :param allowed: (D, H, W) where a lesion may lie: foreground without real lesions.
        :param family: a name of ``families``; None: drawn.
        :param volume_ml: range of the mask's volume; aimed at log-uniformly.
        :returns: None when no place of the wanted size was found.
        """
        place = self.place(allowed, rng, volume_ml=volume_ml)
        if place is None:
            return None
        name = family or str(rng.choice(list(self.families)))
        return self.paint(image, place, name, rng)

    def place(self, allowed: NDArray[np.bool_], rng: Generator, *, volume_ml: tuple[float, float]) -> Place | None:
        """Draw a shape and find a place for it where at least 75 % of it is allowed, in one piece; the rest is cut off.

        Parameters as for :meth:`sample`.
        """
        candidates = np.flatnonzero(allowed)
        if candidates.size == 0:
            return None
        low, high = volume_ml
        for _ in range(PLACES_TRIED):
            volume = float(np.exp(rng.uniform(np.log(low), np.log(high))))
            shapes = self._shapes[int(rng.integers(len(self._shapes)))]
            field, record = shapes.draw(_without_edge(1000 * volume), rng)
            whole = int((field > EDGE).sum())
            centre = np.unravel_index(int(candidates[rng.integers(candidates.size)]), allowed.shape)
            fitted = _fit(field, tuple(int(c) for c in centre), allowed.shape)
            if fitted is None:
                continue
            box, field = fitted
            opacity = _largest_piece(np.clip((field - EDGE) / (1 - EDGE), 0, 1) * allowed[box])
            kept = int((opacity > 0).sum())
            if kept >= LEAST_INSIDE * whole and low <= kept / 1000 <= high:
                record |= {"centre": [int(c) for c in centre], "volume_ml": kept / 1000}
                return Place(box, opacity.astype(np.float32), record)
        return None

    def paint(self, image: NDArray[np.float32], place: Place, family: str, rng: Generator) -> SimulatedLesion:
        """Give a placed shape the appearance of a family.

        :param image: (D, H, W) float32 scaled intensities on the grid of the place.
        :param family: a name of ``families``.
        """
        truth = image[place.box]
        painted, drawn = self.families[family](truth, place.opacity, rng)
        changed = place.opacity > 0
        whole, mask, opacity = image.copy(), np.zeros(image.shape, bool), np.zeros(image.shape, np.float32)
        whole[place.box] = np.where(changed, painted, truth)
        mask[place.box] = changed
        opacity[place.box] = place.opacity
        return SimulatedLesion(whole, mask, image, opacity, {"family": family, **place.record, **drawn})


def _without_edge(voxels: float) -> int:
    """Volume within a shape's surface so that a ball, soft edge included, has the wanted volume."""
    radius = (3 * voxels / (4 * np.pi)) ** (1 / 3)
    return max(FEWEST, round(4 / 3 * np.pi * max(0.0, radius - SOFT_MM) ** 3))


def _largest_piece(opacity: NDArray[np.float32]) -> NDArray[np.float32]:
    """Without the crumbs that cutting leaves: a lesion is one connected region."""
    return opacity * largest(opacity > 0)


def _fit(
    field: NDArray[np.float32], centre: tuple[int, ...], shape: tuple[int, ...]
) -> tuple[tuple[slice, slice, slice], NDArray[np.float32]] | None:
    """Centre a shape's box on a voxel and cut it at the border of the scan."""
    starts = [c - n // 2 for c, n in zip(centre, field.shape, strict=True)]
    scan = [slice(max(0, s), min(size, s + n)) for s, n, size in zip(starts, field.shape, shape, strict=True)]
    if any(s.stop <= s.start for s in scan):
        return None
    own = tuple(slice(s.start - start, s.stop - start) for s, start in zip(scan, starts, strict=True))
    return (scan[0], scan[1], scan[2]), field[own]
