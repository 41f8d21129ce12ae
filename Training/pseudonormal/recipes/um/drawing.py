"""Samples of recipe ``um``: a slice, a montage or a patch with its superpixels, and what is drawn in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import cycle
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from pseudonormal.recipes.um.cuts import Cuts
from pseudonormal.recipes.um.material import UmMaterial, Unit
from pseudonormal.recipes.um.options import MONTAGE, UmOptions
from pseudonormal.recipes.um.superpixels import superpixels
from pseudonormal.regions import bounding_box
from pseudonormal.training.crops import box_around, padded
from pseudonormal.training.references import Reference

LABELLED, UNLABELLED = "labelled", "unlabelled"
ON_LESION = 0.8  # share of labelled samples that show one, where there are others too
EXTENT = (0.1, 0.9)  # of a scan, that a montage's slices come from

Parts = dict[str, NDArray[Any]]


class Drawing:
    """Draws samples for as long as somebody wants them, the streams in turn."""

    def __init__(self, material: UmMaterial, options: UmOptions, cuts: Cuts) -> None:
        """Choose the streams that there is material for."""
        self._material, self._options = material, options
        unlabelled = bool(material.unlabelled) and options.unlabelled
        self.streams = (LABELLED, UNLABELLED) if unlabelled else (LABELLED,)
        self._known = set(material.ill) | set(material.calm)
        self._cuts = cuts

    def samples(self, rng: Generator) -> Iterator[dict[str, Any]]:
        """Samples as of :meth:`sample`."""
        for stream in cycle(self.streams):
            yield self.sample(stream, rng)

    def sample(self, stream: str, rng: Generator) -> dict[str, Any]:
        """One sample of a stream.

        "image" scaled intensities, "labels" superpixels, "brain", "lesion", "known" how far "lesion" is to be believed;
        (*S), that is (n patch, n patch) in 2D and (patch, patch, patch) in 3D.
        """
        unit = self._unit(stream, rng)
        if self._options.dimensions == 3:
            parts = self._patch(unit, rng)
        else:
            parts = tiled([self._slice(one, rng) for one in self._with_neighbours(unit, rng)])
        return parts | {"stream": stream}

    def _unit(self, stream: str, rng: Generator) -> Unit:
        material = self._material
        if stream == UNLABELLED:
            units: Sequence[Unit] = material.unlabelled
        else:
            units = material.ill if rng.random() < ON_LESION or not material.calm else material.calm
        return units[int(rng.integers(len(units)))]

    def _with_neighbours(self, unit: Unit, rng: Generator) -> list[Unit]:
        """The slices of a montage, of which this is one; alone where there is no montage."""
        if not self._options.montage:
            return [unit]
        filled = np.flatnonzero(self._material.scans[unit.scan].brain.any(axis=(1, 2)))
        levels = montage_levels(filled, rng.random())
        nearest = int(np.argmin(np.abs(levels - unit.level)))
        levels[nearest] = unit.level
        return [Unit(unit.scan, int(level)) for level in levels]

    def _slice(self, unit: Unit, rng: Generator) -> Parts:
        scan, edge = self._material.scans[unit.scan], self._options.patch
        level = unit.level
        lesion = self._material.lesions[unit.scan][level]
        parts = {
            "image": scan.image[level],
            "labels": self._cuts.of_slice(scan, level, self._options),
            "brain": scan.brain[level],
            "lesion": lesion,
            "known": self._trust(scan, unit)[level],
        }
        aim = lesion if lesion.any() else scan.brain[level]
        centre = [0, *middle_of(scan.brain[level], aim, edge, rng)]
        box = box_around(centre, (1, edge, edge), (1, *aim.shape))[1:]
        return {key: _padded(part[box], edge) for key, part in parts.items()}

    def _patch(self, unit: Unit, rng: Generator) -> Parts:
        scan, edge = self._material.scans[unit.scan], self._options.patch
        lesion = self._material.lesions[unit.scan]
        aim = lesion if lesion.any() and rng.random() < ON_LESION else scan.brain
        box = box_around(middle_of(scan.brain, aim, edge, rng), edge, aim.shape)
        image, brain = padded(scan.image[box], edge), padded(scan.brain[box], edge)
        return {
            "image": image,
            "labels": superpixels(image, brain, self._options),
            "brain": brain,
            "lesion": padded(lesion[box], edge),
            "known": padded(self._trust(scan, unit)[box], edge),
        }

    def _trust(self, scan: Reference, unit: Unit) -> NDArray[np.float32]:
        if unit not in self._known:
            return np.zeros(scan.brain.shape, np.float32)
        return np.ones(scan.brain.shape, np.float32) if scan.weight is None else scan.weight


def montage_levels(filled: NDArray[np.integer], offset: float) -> NDArray[np.intp]:
    """Four slices in equal steps between 10 % and 90 % of a scan's extent.

    :param filled: slices with foreground.
    :param offset: in [0, 1), of a step.
    """
    count = MONTAGE**2
    low, high = (filled[0] + share * (filled[-1] - filled[0]) for share in EXTENT)
    return np.rint(low + (high - low) * (np.arange(count) + offset) / count).astype(np.intp)


def tiled(tiles: Sequence[Parts]) -> Parts:
    """Slices as one picture, 2 x 2 or as it is; superpixels of different tiles keep different numbers."""
    if len(tiles) == 1:
        return dict(tiles[0])
    last = 0
    numbered = []
    for tile in tiles:
        labels = np.where(tile["labels"] > 0, tile["labels"] + last, 0)
        last = max(last, int(labels.max()))
        numbered.append({**tile, "labels": labels})
    return {key: in_one([tile[key] for tile in numbered]) for key in tiles[0]}


def in_one(tiles: Sequence[NDArray]) -> NDArray:
    """Four (..., H, W) as (..., 2 H, 2 W)."""
    rows = [np.concatenate(tiles[first : first + MONTAGE], axis=-1) for first in range(0, len(tiles), MONTAGE)]
    return np.concatenate(rows, axis=-2)


def apart(picture: NDArray) -> list[NDArray]:
    """The opposite of :func:`in_one`."""
    rows = np.split(picture, MONTAGE, axis=-2)
    return [tile for row in rows for tile in np.split(row, MONTAGE, axis=-1)]


def _padded(part: NDArray, edge: int) -> NDArray:
    return padded(part[None], (1, edge, edge))[0]


def middle_of(brain: NDArray[np.bool_], aim: NDArray[np.bool_], edge: int, rng: Generator) -> list[int]:
    """The middle of the foreground, along axes where all of it fits into an edge; else somewhere in ``aim``."""
    places = np.flatnonzero(aim)
    somewhere = np.unravel_index(int(places[rng.integers(len(places))]), aim.shape)
    box = bounding_box(brain) if brain.ndim == 3 else (bounding_box(brain[None]) or ())[1:]
    assert box
    fits = [s.stop - s.start <= edge for s in box]
    return [
        (s.start + s.stop) // 2 if whole else int(place) for s, whole, place in zip(box, fits, somewhere, strict=True)
    ]
