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
from pseudonormal.recipes.mask_gan.drawing import MaskGan
from pseudonormal.recipes.synthesizer import Synthetic
from pseudonormal.recipes.translation.maps import can_mirror, mirrored, with_lesion
from pseudonormal.recipes.translation.material import Mapped
from pseudonormal.recipes.translation.options import TranslationOptions
from pseudonormal.recipes.translation.predicting import draw_latent, translated
from pseudonormal.recipes.um.carrying import LEAST_INSIDE, Way
from pseudonormal.recipes.um.synthesizing import grid_of_its_own

TRIES = 8
USUAL_ML = (1.0, 50.0)  # where nobody drew a lesion
WIDER = 0.4  # standard deviation of the logarithm of a drawn lesion's volume over the one it is taken from


@dataclass
class TranslationSynthesizer:
    """Makes scans from the label maps of those that there are, lesions from elsewhere put into the map.

    :param translator: in evaluation mode.
    :param scans: that maps are taken from.
    :param ill: those of them with lesions, which are carried into other heads, or say how large lesions are.
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

    def make(self, rng: Generator) -> Synthetic:
        """One more scan: a map, mirrored or not, with a lesion from elsewhere; and the same without it."""
        one = self.scans[int(rng.integers(len(self.scans)))]
        turned = can_mirror(self.options) and bool(rng.random() < 0.5)
        labels = mirrored(one.labels, self.options) if turned else one.labels
        lesion, facts = self._lesion(labels > 0, rng)
        latent = draw_latent(rng)
        image = translated(self.translator, with_lesion(labels, lesion, self.options), latent, self.options)
        normal = translated(self.translator, labels, latent, self.options)
        return Synthetic(
            image=image,
            mask=lesion,
            foreground=labels > 0,
            geometry=grid_of_its_own(labels.shape, self.options.voxel_mm),
            subject=one.scan.subject or one.scan.case,
            contrast=one.scan.contrast,
            record={"source": one.scan.case, "mirrored": turned, "translator": self.options.translator, **facts},
            normal=normal,
        )

    def _lesion(self, brain: NDArray[np.bool_], rng: Generator) -> tuple[NDArray[np.bool_], dict[str, Any]]:
        """A lesion for a brain; empty where none found its place."""
        for _ in range(TRIES):
            found, facts = self._drawn(brain, rng) if self.masks else self._carried(brain, rng)
            if found.any():
                return found, facts
        return np.zeros_like(brain), {"lesion_of": ""}

    def _carried(self, brain: NDArray[np.bool_], rng: Generator) -> tuple[NDArray[np.bool_], dict[str, Any]]:
        one = self.ill[int(rng.integers(len(self.ill)))]
        way = Way.between(one.scan.brain, brain, rng)
        moved = np.zeros_like(brain) if way is None else way.mask(one.lesion)
        inside = moved & brain
        fits = inside.sum() >= LEAST_INSIDE * moved.sum()
        return inside if fits else np.zeros_like(brain), {"lesion_of": one.scan.case}

    def _drawn(self, brain: NDArray[np.bool_], rng: Generator) -> tuple[NDArray[np.bool_], dict[str, Any]]:
        assert self.masks is not None
        ml = float(np.exp(rng.uniform(*np.log(USUAL_ML))))
        if self.ill:
            voxels = self.ill[int(rng.integers(len(self.ill)))].lesion.sum()
            ml = float(voxels * self.options.voxel_mm**3 / 1000 * np.exp(rng.normal(0, WIDER)))
        side = float(rng.uniform(-1, 1))
        opacity = self.masks.in_brain(ml, side, BrainFrame.of(brain), (0, 0, 0), brain.shape, rng)
        facts = {"lesion_of": "mask-gan", "asked_ml": round(ml, 3), "asked_side": round(side, 3)}
        return (opacity > 0.5) & brain, facts
