"""A trained translator at work: scans with lesions that nobody had, and the same scans without them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from torch import nn

from pseudonormal.errors import InputError
from pseudonormal.lesions.in_place import BrainFrame
from pseudonormal.lesions.shapes import SmoothBlob, Transplant
from pseudonormal.lesions.source import LesionSource
from pseudonormal.recipes.mask_gan.drawing import MaskGan
from pseudonormal.recipes.synthesizer import Synthetic
from pseudonormal.recipes.translation.maps import Grades, can_mirror, imagined_grades, mirrored, with_lesion
from pseudonormal.recipes.translation.material import Mapped
from pseudonormal.recipes.translation.options import TranslationOptions
from pseudonormal.recipes.translation.predicting import draw_latent, translated
from pseudonormal.recipes.um.carrying import LEAST_INSIDE, Way
from pseudonormal.recipes.um.synthesizing import grid_of_its_own

TRIES = 8
USUAL_ML = (1.0, 50.0)  # where nobody drew a lesion
SCATTERED_ODDS = 0.5  # lesions of drawn shapes, of any size at any place, instead of drawn ones where they were
SCATTERED = (1, 6)
MOST_SCATTERED = 24  # where all are so small that together they are less than LEAST yet
LEAST = 1 / 3  # of what the scan with the smallest drawn lesions has in all
SMALLEST_ML = 0.06
WIDER = 0.4  # standard deviation of the logarithm of a drawn lesion's volume over the one it is taken from


@dataclass
class TranslationSynthesizer:
    """Makes scans from the label maps of those that there are, lesions from elsewhere put into the map.

    :param translator: in evaluation mode.
    :param scans: that maps are taken from.
    :param ill: those of them with lesions, which are carried into other heads, give their shapes to others at other
        places, or say how large lesions are.
    :param masks: draws lesions instead; trained in 3D.
    :param fingerprint: of weights, options and scans.
    """

    translator: nn.Module
    options: TranslationOptions
    scans: Sequence[Mapped]
    masks: MaskGan | None = None
    fingerprint: str = ""
    recipe: str = "translation"

    def __post_init__(self) -> None:
        self.ill = [one for one in self.scans if one.lesion.any()]
        if not self.ill and self.masks is None:
            raise InputError(
                "no lesion is drawn in any case to make scans from: list one with a mask, or give --masks with a run "
                "of recipe mask-gan"
            )
        drawn = Transplant([one.lesion for one in self.ill])
        self._shapes = LesionSource([SmoothBlob(), *([drawn] if len(drawn) else [])])

    def make(self, rng: Generator) -> Synthetic:
        """One more scan: a map, mirrored or not, with a lesion from elsewhere; and the same without it."""
        one = self.scans[int(rng.integers(len(self.scans)))]
        turned = can_mirror(self.options) and bool(rng.random() < 0.5)
        labels = mirrored(one.labels, self.options) if turned else one.labels
        grades, facts = self._lesion(labels > 0, rng)
        latent = draw_latent(rng)
        image = translated(self.translator, with_lesion(labels, grades, self.options), latent, self.options)
        normal = translated(self.translator, labels, latent, self.options)
        return Synthetic(
            image=image,
            mask=grades > 0,
            foreground=labels > 0,
            geometry=grid_of_its_own(labels.shape, self.options.voxel_mm),
            subject=one.scan.subject or one.scan.case,
            contrast=one.scan.contrast,
            record={"source": one.scan.case, "mirrored": turned, "translator": self.options.translator, **facts},
            normal=normal,
        )

    def _lesion(self, brain: NDArray[np.bool_], rng: Generator) -> tuple[Grades, dict[str, Any]]:
        """A lesion for a brain, by its grades; empty where none found its place."""
        anywhere = not self.masks and rng.random() < SCATTERED_ODDS
        draw = self._drawn if self.masks else self._scattered if anywhere else self._carried
        for _ in range(TRIES):
            found, facts = draw(brain, rng)
            if found.any():
                return found, facts
        return np.zeros(brain.shape, np.int8), {"lesion_of": ""}

    def _carried(self, brain: NDArray[np.bool_], rng: Generator) -> tuple[Grades, dict[str, Any]]:
        one = self.ill[int(rng.integers(len(self.ill)))]
        way = Way.between(one.scan.brain, brain, rng)
        moved = np.zeros_like(brain) if way is None else way.mask(one.lesion)
        inside = moved & brain
        fits = inside.any() and inside.sum() >= LEAST_INSIDE * moved.sum()
        if way is None or not fits:
            return np.zeros(brain.shape, np.int8), {}
        grades = way.labels(one.grades.astype(np.int32))
        middle = (self.options.lesion_grades + 1) // 2  # at a border that was rounded the other way
        return np.where(inside, np.where(grades > 0, grades, middle), 0).astype(np.int8), {"lesion_of": one.scan.case}

    def _scattered(self, brain: NDArray[np.bool_], rng: Generator) -> tuple[Grades, dict[str, Any]]:
        """Few drawn scans show few lesions at few places: others of their shapes, and blobs."""
        voxel_ml = self.options.voxel_mm**3 / 1000
        drawn_ml = [float(one.lesion.sum()) * voxel_ml for one in self.ill]
        volume = SMALLEST_ML / (1000 * voxel_ml), max(USUAL_ML[0], *drawn_ml) / (1000 * voxel_ml)
        lesion, wanted, count = np.zeros_like(brain), int(rng.integers(*SCATTERED, endpoint=True)), 0
        while count < wanted or (lesion.sum() * voxel_ml < LEAST * min(drawn_ml) and count < MOST_SCATTERED):
            place = self._shapes.place(brain & ~lesion, rng, volume_ml=volume)  # it counts voxels as if of 1 mm
            count += 1
            if place is not None:
                lesion[place.box] |= place.opacity > 0.5
        return imagined_grades(lesion, self.options, rng), {"lesion_of": "shapes", "lesions": count}

    def _drawn(self, brain: NDArray[np.bool_], rng: Generator) -> tuple[Grades, dict[str, Any]]:
        assert self.masks is not None
        ml = float(np.exp(rng.uniform(*np.log(USUAL_ML))))
        if self.ill:
            voxels = self.ill[int(rng.integers(len(self.ill)))].lesion.sum()
            ml = float(voxels * self.options.voxel_mm**3 / 1000 * np.exp(rng.normal(0, WIDER)))
        side = float(rng.uniform(-1, 1))
        opacity = self.masks.in_brain(ml, side, BrainFrame.of(brain), (0, 0, 0), brain.shape, rng)
        facts = {"lesion_of": "mask-gan", "asked_ml": round(ml, 3), "asked_side": round(side, 3)}
        return imagined_grades((opacity > 0.5) & brain, self.options, rng), facts
