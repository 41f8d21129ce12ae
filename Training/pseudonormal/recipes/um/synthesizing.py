"""A trained generator of recipe ``um`` at work: other scans from the superpixels of those that there are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import ndimage
from torch import nn

from pseudonormal.errors import InputError
from pseudonormal.recipes.synthesizer import Synthetic
from pseudonormal.recipes.um.cuts import Cuts
from pseudonormal.recipes.um.guides import drawn_masks, unsupervised_masks
from pseudonormal.recipes.um.material import UmMaterial
from pseudonormal.recipes.um.options import GREY_LEVELS, UmOptions
from pseudonormal.recipes.um.predicting import made_from
from pseudonormal.recipes.um.superpixels import WHITE, means
from pseudonormal.regions import bounding_box
from pseudonormal.scan.scan import Geometry
from pseudonormal.training.references import Reference

SCAN, SLAB = "scan", "slab"
SLICES = 3  # of a slab: the least that is a volume everywhere
JITTER = 0.3  # standard deviation of a superpixel's change, in steps of the granularity; a whole one makes mosaics
WITH_LESION = 0.9  # share of the control's masks that show a lesion
LEAST = 0.5  # of the largest slice's foreground: what a single slice shows at least
TRIES = 8


@dataclass
class UmSynthesizer:
    """Makes annotated scans from unsupervised masks, or the control's from drawn ones.

    :param generator: in evaluation mode.
    :param material: the scans that superpixels, or foregrounds and lesions, are taken from.
    :param extent: "scan": whole scans; "slab": three neighbouring axial slices each (2D).
    :param fingerprint: of weights, options and scans.
    :param cuts: superpixels that are known already.
    """

    generator: nn.Module
    options: UmOptions
    material: UmMaterial
    extent: str = SCAN
    fingerprint: str = ""
    recipe: str = "um"
    cuts: Cuts = field(default_factory=Cuts)

    def __post_init__(self) -> None:
        if self.extent not in (SCAN, SLAB):
            raise InputError(f"extent '{self.extent}': must be {SCAN} or {SLAB}")
        if self.extent == SLAB and (self.options.dimensions == 3 or self.options.montage):
            raise InputError("some slices alone can be made by a model of single slices only: leave --extent slab away")

    def make(self, rng: Generator) -> Synthetic:
        """One more scan from one that there is: mirrored or not, its superpixels changed a little."""
        number = int(rng.integers(len(self.material.scans)))
        scan = self.material.scans[number]
        level = self._level(scan, rng) if self.extent == SLAB else -1
        levels = _levels(level)
        facts: dict[str, Any] = {}
        brain, mirrored = scan.brain[levels], bool(rng.random() < 0.5)
        if self.options.guide == "um":
            guide = self._changed(scan, levels, rng)
            drawn = None
        else:
            guide, drawn, facts = self._drawn(scan, levels, rng)
        if mirrored:
            guide, brain = guide[..., ::-1], brain[..., ::-1]
        image, probability = made_from(self.generator, np.ascontiguousarray(guide), brain, self.options)
        mask = probability >= 0.5 if drawn is None else (drawn[..., ::-1] if mirrored else drawn)
        record = {"source": scan.case, "level": level if self.extent == SLAB else None, "mirrored": mirrored, **facts}
        return Synthetic(
            image=image,
            mask=np.ascontiguousarray(mask) & brain,
            foreground=np.ascontiguousarray(brain),
            geometry=grid_of_its_own(brain.shape, self.options.voxel_mm),
            subject=scan.subject or scan.case,
            contrast=scan.contrast,
            record=record,
        )

    def _changed(self, scan: Reference, levels: slice, rng: Generator) -> NDArray[np.float32]:
        """A scan's guide with every superpixel brighter or darker by a step or so, (2, D, H, W)."""
        labels = self.cuts.of(scan, self.options, levels)
        values = means(scan.image[levels], labels)
        step = self.options.granularity / GREY_LEVELS * WHITE
        values = np.clip(values + rng.normal(0, JITTER * step, values.shape), 0, WHITE)
        return unsupervised_masks(values, labels, self.options)

    def _level(self, scan: Reference, rng: Generator) -> int:
        """The lowest slice of a slab."""
        area = scan.brain.sum(axis=(1, 2))
        levels = np.flatnonzero(area[: 1 - SLICES] >= LEAST * area.max())
        return int(levels[rng.integers(len(levels))])

    def _drawn(
        self, scan: Reference, levels: slice, rng: Generator
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_], dict[str, Any]]:
        """The control's guide: the scan's foreground with a lesion that somebody drew elsewhere."""
        brain = scan.brain[levels]
        lesion, facts = np.zeros(brain.shape, bool), {"lesion_of": ""}
        for _ in range(TRIES if rng.random() < WITH_LESION else 0):
            unit = self.material.ill[int(rng.integers(len(self.material.ill)))]
            source = self.material.scans[unit.scan]
            drawn, organ = self.material.lesions[unit.scan], source.brain
            if self.extent == SLAB:
                drawn, organ = (np.repeat(part[[unit.level]], len(brain), 0) for part in (drawn, organ))
            moved = carried(drawn, organ, brain, rng)
            if moved.any():
                lesion, facts = moved, {"lesion_of": source.case}
                break
        return drawn_masks(brain, lesion, self.options), lesion, facts


def carried(
    lesion: NDArray[np.bool_], organ: NDArray[np.bool_], into: NDArray[np.bool_], rng: Generator
) -> NDArray[np.bool_]:
    """A lesion at the corresponding place of another foreground, stretched with it, mirrored or not, moved a little.

    :param lesion: (D, H, W) on the grid of ``organ``.
    :param into: (D, H, W) the other foreground.
    :returns: on the grid of ``into``; empty where it would lie outside.
    """
    here, there = bounding_box(organ), bounding_box(into)
    if here is None or there is None:
        return np.zeros(into.shape, bool)
    if rng.random() < 0.5:
        lesion, organ = lesion[..., ::-1], organ[..., ::-1]
        here = bounding_box(organ) or here
    sizes = [((a.stop - a.start) / (b.stop - b.start)) for a, b in zip(here, there, strict=True)]
    zoom = np.array(sizes) * np.exp(rng.normal(0, 0.15, 3))
    middles = [np.array([(s.start + s.stop - 1) / 2 for s in box]) for box in (here, there)]
    shift = rng.normal(0, 0.06, 3) * [s.stop - s.start for s in here]
    if into.shape[0] == SLICES:  # a slab has nowhere to go
        zoom[0], shift[0] = 1.0, 0.0
    offset = middles[0] + shift - zoom * middles[1]
    moved = ndimage.affine_transform(lesion.astype(np.float32), zoom, offset, output_shape=into.shape, order=1) >= 0.5
    inside = moved & into
    return inside if inside.sum() > 0.5 * moved.sum() else np.zeros(into.shape, bool)


def _levels(level: int) -> slice:
    return slice(None) if level < 0 else slice(level, level + SLICES)


def grid_of_its_own(shape: tuple[int, ...], voxel_mm: int) -> Geometry:
    """A grid of its own around the origin, axes to left, back and head as on the model grid (RAS)."""
    depth, height, width = shape
    edge = float(voxel_mm)
    origin = (edge * (width - 1) / 2, edge * (height - 1) / 2, -edge * (depth - 1) / 2)
    return Geometry((width, height, depth), (edge,) * 3, origin, (-1, 0, 0, 0, -1, 0, 0, 0, 1))
