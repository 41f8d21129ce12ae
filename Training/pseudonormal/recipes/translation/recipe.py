"""Recipe ``translation``: scans made from label maps (Platscher 2022, arXiv 2010.02745)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from numpy.random import Generator
from torch import Tensor, nn

from pseudonormal.networks.labels import LabelEmbedding
from pseudonormal.recipes.translation.checking import check
from pseudonormal.recipes.translation.drawing import row, sample
from pseudonormal.recipes.translation.loss import (
    cycle_judge_loss,
    cycle_loss,
    finder_loss,
    paired_judge_loss,
    paired_loss,
)
from pseudonormal.recipes.translation.material import TranslationMaterial, greys
from pseudonormal.recipes.translation.networks import (
    FINDER,
    JUDGE,
    LABELLER,
    MAP_JUDGE,
    TRANSLATOR,
    translation_networks,
)
from pseudonormal.recipes.translation.options import TranslationOptions
from pseudonormal.training.trainable import Trainable, Turn

MAKERS, JUDGES, FINDERS = "makers", "judges", "finders"


@dataclass
class TranslationRecipe(Trainable):
    """Trains a translator against a judge; see ``docs/recipes/translation.md``."""

    material: TranslationMaterial
    options: TranslationOptions = field(default_factory=TranslationOptions)
    name: str = "translation"

    @property
    def players(self) -> Mapping[str, tuple[str, ...]]:
        """Those that make images (and, for cyclegan, maps), those that judge them, and the one that finds lesions."""
        if self.options.translator == "cyclegan":
            return {MAKERS: (TRANSLATOR, LABELLER), JUDGES: (JUDGE, MAP_JUDGE)}
        return {MAKERS: (TRANSLATOR,), JUDGES: (JUDGE,)} | ({FINDERS: (FINDER,)} if self.options.finds else {})

    def networks(self) -> dict[str, nn.Module]:
        """See :func:`pseudonormal.recipes.translation.networks.translation_networks`.

        Where there are pairs, the translator begins with how bright the scans' labels are.
        """
        networks = translation_networks(self.options)
        if self.options.translator != "cyclegan":
            embedding = networks[TRANSLATOR].embedding
            assert isinstance(embedding, LabelEmbedding)
            embedding.begin_with(torch.from_numpy(greys(self.material.scans, self.options)))
        return networks

    def samples(self, rng: Generator) -> Iterator[dict[str, Any]]:
        """Slices or patches with their maps."""
        while True:
            yield sample(self.material, self.options, rng)

    def redraw(self, sample: dict[str, Any], rng: Generator) -> dict[str, Any]:
        """See :func:`pseudonormal.recipes.translation.drawing.row`."""
        return dict(row(sample, self.options, rng))

    def loss(self, networks: Mapping[str, nn.Module], batch: Mapping[str, Tensor], turn: Turn) -> dict[str, Tensor]:
        """See :mod:`pseudonormal.recipes.translation.loss`; the judges' noise falls to 0."""
        sigma = self.options.noise * (1 - turn.done)
        if self.options.translator == "cyclegan":
            lose = cycle_loss if turn.player == MAKERS else cycle_judge_loss
            return lose(networks, batch, self.options, sigma)
        if turn.player == MAKERS:
            return paired_loss(networks, batch, self.options, sigma, turn.done)
        if turn.player == FINDERS:
            return {"loss": finder_loss(networks, batch)}
        return paired_judge_loss(networks, batch, sigma)

    def check(self, networks: Mapping[str, nn.Module], run: Path) -> dict[str, float]:
        """See :func:`pseudonormal.recipes.translation.checking.check`."""
        return check(networks[TRANSLATOR], self.material, self.options, run)
