"""A trained generator of recipe ``um`` at work: other scans from the superpixels of those that there are."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from torch import nn

from pseudonormal.errors import InputError
from pseudonormal.recipes.synthesizer import Synthetic
from pseudonormal.recipes.um.calm import LesionLike
from pseudonormal.recipes.um.carrying import Carried, carried
from pseudonormal.recipes.um.cuts import Cuts
from pseudonormal.recipes.um.guides import drawn_masks, unsupervised_masks
from pseudonormal.recipes.um.material import UmMaterial
from pseudonormal.recipes.um.options import GREY_LEVELS, UmOptions
from pseudonormal.recipes.um.predicting import made_from
from pseudonormal.recipes.um.superpixels import WHITE, means
from pseudonormal.scan.scan import Geometry
from pseudonormal.training.references import Reference

SCAN, SLAB = "scan", "slab"
SLICES = 3  # of a slab: the least that is a volume everywhere
JITTER = 0.3  # standard deviation of a superpixel's change, in steps of the granularity; a whole one makes mosaics
WITH_LESION = 0.9  # share of the scans that get a drawn lesion
LEAST = 0.5  # of the largest slice's foreground: what a single slice shows at least
CALM = 0.004  # of a slab's foreground: so much may look like a lesion, and yet there is none
TRIES = 20  # slabs of which the calmest is taken, where none is calm


@dataclass
class UmSynthesizer:
    """Makes annotated scans from unsupervised masks, or the control's from drawn ones.

    :param generator: in evaluation mode.
    :param material: the scans that superpixels, or foregrounds and lesions, are taken from.
    :param extent: "scan": whole scans; "slab": three neighbouring axial slices each (2D).
    :param implanted: share of the scans into which a drawn lesion is put (with its superpixels, but for the control),
        where any is drawn. Slabs that look like a lesion nowhere are taken for that, and the mask is what was put in.
    :param fingerprint: of weights, options and scans.
    :param cuts: superpixels that are known already.
    """

    generator: nn.Module
    options: UmOptions
    material: UmMaterial
    extent: str = SCAN
    implanted: float = WITH_LESION
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
        scan, level = self._place(rng)
        mirrored = bool(rng.random() < 0.5)
        ill = bool(rng.random() < self.implanted)
        alone = self.options.guide == "mask"  # whether what is put in is all there is
        if not alone and self.extent == SLAB and self.implanted and self._like is not None:
            scan, level, alone = self._calm(scan, level, rng)
        levels = _levels(level)
        brain = scan.brain[levels]
        drawn = self._carried(brain, rng) if ill else None
        known = np.zeros(brain.shape, bool) if drawn is None else drawn.lesion
        if self.options.guide == "um":
            guide = self._changed(scan, levels, drawn, rng)
        else:
            guide = drawn_masks(brain, known, self.options)
        if mirrored:
            guide, brain, known = guide[..., ::-1], brain[..., ::-1], known[..., ::-1]
        image, probability = made_from(self.generator, np.ascontiguousarray(guide), brain, self.options)
        mask = known if alone else known | (probability >= 0.5)
        record = {
            "source": scan.case,
            "level": level if self.extent == SLAB else None,
            "mirrored": mirrored,
            "lesion_of": "" if drawn is None else drawn.source,
        }
        return Synthetic(
            image=image,
            mask=np.ascontiguousarray(mask) & brain,
            foreground=np.ascontiguousarray(brain),
            geometry=grid_of_its_own(brain.shape, self.options.voxel_mm),
            subject=scan.subject or scan.case,
            contrast=scan.contrast,
            record=record,
        )

    def _changed(self, scan: Reference, levels: slice, drawn: Carried | None, rng: Generator) -> NDArray[np.float32]:
        """A scan's guide, (2, D, H, W): superpixels a little brighter or darker, and maybe a lesion's among them."""
        labels = self.cuts.of(scan, self.options, levels)
        values = means(scan.image[levels], labels)
        if drawn is not None:
            there = drawn.lesion & (drawn.labels > 0)
            labels = np.where(there, drawn.labels + len(values) - 1, labels).astype(np.int32)
            values = np.concatenate([values, drawn.values[1:]])
        step = self.options.granularity / GREY_LEVELS * WHITE
        values = np.clip(values + rng.normal(0, JITTER * step, values.shape), 0, WHITE)
        return unsupervised_masks(values, labels, self.options)

    def _carried(self, brain: NDArray[np.bool_], rng: Generator) -> Carried | None:
        slab = self.extent == SLAB
        return carried(self.material, brain, self.options, self.cuts, rng, slab=slab)

    def _place(self, rng: Generator) -> tuple[Reference, int]:
        """A scan, and the lowest slice of a slab in it or -1."""
        scan = self.material.scans[int(rng.integers(len(self.material.scans)))]
        return scan, self._level(scan, rng) if self.extent == SLAB else -1

    def _calm(self, scan: Reference, level: int, rng: Generator) -> tuple[Reference, int, bool]:
        """The slab, or another one that shows less of what looks like a lesion; and whether that is next to nothing.

        Whole scans are not chosen so: there are too few, and always the same ones would be taken.
        """
        least = self._doubt(scan, level)
        for _ in range(TRIES):
            if least <= CALM:
                break
            other = self._place(rng)
            doubt = self._doubt(*other)
            if doubt < least:
                (scan, level), least = other, doubt
        return scan, level, least <= CALM

    def _doubt(self, scan: Reference, level: int) -> float:
        """The share of a slab that looks like a lesion."""
        assert self._like is not None
        labels = self.cuts.of(scan, self.options, _levels(level))
        return self._like.share(means(scan.image[_levels(level)], labels), labels)

    @cached_property
    def _like(self) -> LesionLike | None:
        return LesionLike.of(self.material)

    def _level(self, scan: Reference, rng: Generator) -> int:
        """The lowest slice of a slab."""
        area = scan.brain.sum(axis=(1, 2))
        levels = np.flatnonzero(area[: 1 - SLICES] >= LEAST * area.max())
        return int(levels[rng.integers(len(levels))])


def _levels(level: int) -> slice:
    return slice(None) if level < 0 else slice(level, level + SLICES)


def grid_of_its_own(shape: tuple[int, ...], voxel_mm: int) -> Geometry:
    """A grid of its own around the origin, axes to left, back and head as on the model grid (RAS)."""
    depth, height, width = shape
    edge = float(voxel_mm)
    origin = (edge * (width - 1) / 2, edge * (height - 1) / 2, -edge * (depth - 1) / 2)
    return Geometry((width, height, depth), (edge,) * 3, origin, (-1, 0, 0, 0, -1, 0, 0, 0, 1))
