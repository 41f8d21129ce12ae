"""Drawn lesions, and the superpixels they are made of, taken to the corresponding place of another scan."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import ndimage

from pseudonormal.recipes.um.cuts import Cuts
from pseudonormal.recipes.um.material import UmMaterial
from pseudonormal.recipes.um.options import UmOptions
from pseudonormal.recipes.um.superpixels import Labels, means
from pseudonormal.regions import bounding_box

STRETCH, SHIFT = 0.15, 0.06  # standard deviations: logarithm of a size, and share of the foreground
LARGEST = 0.1  # of a slice's organ: up to so large drawn lesions are made
LEAST_INSIDE = 0.5
TRIES = 8


@dataclass(frozen=True)
class Way:
    """From one foreground to another: stretched with it and a little more, mirrored or not, moved a little."""

    mirrored: bool
    zoom: NDArray[np.float64]
    offset: NDArray[np.float64]
    shape: tuple[int, ...]

    @staticmethod
    def between(
        organ: NDArray[np.bool_], into: NDArray[np.bool_], rng: Generator, *, level: bool = False
    ) -> Way | None:
        """Draw one; None where a foreground is empty.

        :param organ: (D, H, W) where things come from; into: where they go to.
        :param level: stay at the same height: both are slabs of as many slices.
        """
        mirrored = bool(rng.random() < 0.5)
        here, there = bounding_box(organ[..., ::-1] if mirrored else organ), bounding_box(into)
        if here is None or there is None:
            return None
        sizes = np.array([(a.stop - a.start) / (b.stop - b.start) for a, b in zip(here, there, strict=True)])
        zoom = sizes * np.exp(rng.normal(0, STRETCH, 3))
        shift = rng.normal(0, SHIFT, 3) * [s.stop - s.start for s in here]
        middles = [np.array([(s.start + s.stop - 1) / 2 for s in box]) for box in (here, there)]
        if level:
            zoom[0], shift[0], middles[0][0], middles[1][0] = 1.0, 0.0, 0.0, 0.0
        return Way(mirrored, zoom, middles[0] + shift - zoom * middles[1], into.shape)

    def magnified(self, lesion: NDArray[np.bool_], times: float) -> Way:
        """The same way for a lesion that is larger in its slice: its middle arrives where it would."""
        source = lesion[..., ::-1] if self.mirrored else lesion
        middle = np.array(ndimage.center_of_mass(source))
        zoom = self.zoom / [1, times, times]
        return replace(self, zoom=zoom, offset=middle - zoom * (middle - self.offset) / self.zoom)

    def mask(self, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """A mask, taken along."""
        return np.asarray(self._moved(mask.astype(np.float32), 1) >= 0.5)

    def labels(self, labels: Labels) -> Labels:
        """Numbers, taken along; 0 where nothing comes from."""
        return np.asarray(self._moved(labels, 0), np.int32)

    def _moved(self, array: NDArray, order: int) -> NDArray:
        source = array[..., ::-1] if self.mirrored else array
        return np.asarray(
            ndimage.affine_transform(source, self.zoom, self.offset, output_shape=self.shape, order=order)
        )


@dataclass(frozen=True)
class Carried:
    """A drawn lesion in another scan's foreground.

    :param lesion: (D, H, W).
    :param labels: (D, H, W) superpixels that came along, 0 where none did.
    :param values: of them by number, scaled intensities.
    :param source: the case that it was drawn in.
    """

    lesion: NDArray[np.bool_]
    labels: Labels
    values: NDArray[np.float64]
    source: str


def carried(
    material: UmMaterial, into: NDArray[np.bool_], options: UmOptions, cuts: Cuts, rng: Generator, *, slab: bool
) -> Carried | None:
    """One of the drawn lesions at the corresponding place of another foreground; None where it would lie outside.

    :param into: (D, H, W) the other foreground.
    :param slab: it is one of neighbouring slices, each of which gets the slice that was drawn in.
    """
    for _ in range(TRIES if material.ill else 0):
        unit = material.ill[int(rng.integers(len(material.ill)))]
        scan, lesion = material.scans[unit.scan], material.lesions[unit.scan]
        if slab:
            cut = cuts.of_slice(scan, unit.level, options)
            image, organ, lesion, labels = (
                np.repeat(part[None], len(into), 0)
                for part in (scan.image[unit.level], scan.brain[unit.level], lesion[unit.level], cut)
            )
        else:
            image, organ, labels = scan.image, scan.brain, cuts.of(scan, options)
        way = Way.between(organ, into, rng, level=slab)
        if way is None:
            continue
        if slab:
            way = way.magnified(lesion, _times(lesion, organ, rng))
        moved = way.mask(lesion)
        inside = moved & into
        if inside.any() and inside.sum() >= LEAST_INSIDE * moved.sum():
            return Carried(inside, way.labels(labels), means(image, labels), scan.case)
    return None


def _times(lesion: NDArray[np.bool_], organ: NDArray[np.bool_], rng: Generator) -> float:
    """How many times as long a lesion becomes: any size between its own and the largest is as likely, by logarithm.

    Whoever has drawn small lesions alone would else teach that there are no others.
    """
    room = float(np.log(LARGEST * organ.sum() / lesion.sum())) / 2
    return float(np.exp(rng.uniform(0, max(0.0, room))))
