"""Recipe ``smile``: segmentor and restorer from few masks and many scans (SMILE, arXiv 2106.15345)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from numpy.random import Generator
from torch import Tensor, nn

from pseudonormal.models.bundle import Model
from pseudonormal.recipes.shape.prior import ShapePrior
from pseudonormal.recipes.smile.checking import Checking
from pseudonormal.recipes.smile.drawing import Drawing
from pseudonormal.recipes.smile.guesses import Guesses
from pseudonormal.recipes.smile.loss import Weighted, discriminator_loss, makers_loss
from pseudonormal.recipes.smile.material import SmileMaterial, with_share_of_labels
from pseudonormal.recipes.smile.networks import smile_networks
from pseudonormal.recipes.smile.options import SmileOptions
from pseudonormal.recipes.smile.rows import row
from pseudonormal.training.trainable import Trainable, Turn

MAKERS, JUDGE = "makers", "judge"
FIRST_GUESSED = 24  # scans that the parent looks at before training begins; checks see to the others


@dataclass
class SmileRecipe(Trainable):
    """Trains four networks in two turns; see ``docs/recipes/smile.md``.

    A scan without a mask is restored where the segmentor's moving average found something at the last check.

    :param parent: the model that the training begins from, if any (3D): it says where unlabelled scans are diseased
        until the first check, and what networks shall go on to answer in painted heads.
    """

    material: SmileMaterial
    options: SmileOptions = field(default_factory=SmileOptions)
    parent: Model | None = None
    name: str = "smile"

    def __post_init__(self) -> None:
        self.material = with_share_of_labels(self.material, self.options.labels, self.options.label_seed)
        self._guesses = Guesses([*self.material.labelled, *self.material.synthetic, *self.material.unlabelled])
        parent = self.parent if self.options.dimensions == 3 else None
        self._parent = None if parent is None else {"lesion": parent.lesion, "restore": parent.restore}
        self._prior = (
            ShapePrior.of_run(Path(self.options.prior), self.options.dimensions) if self.options.prior else None
        )
        self._drawing = Drawing(self.material, self.options, self._guesses, rehearse=self._parent is not None)
        self.streams = self._drawing.streams
        self._checking = Checking(self.material, self.options, self._guesses)
        if self._parent is not None:
            self._checking.refresh(self._parent, FIRST_GUESSED)

    @property
    def players(self) -> Mapping[str, tuple[str, ...]]:
        """Segmentor, restorer and painter move together, then the discriminator."""
        together = ("lesion", "restore") if self.options.no_painter else ("lesion", "restore", "painter")
        return {MAKERS: together} | ({} if self.options.no_adversary else {JUDGE: ("discriminator",)})

    def networks(self) -> dict[str, nn.Module]:
        """See :func:`pseudonormal.recipes.smile.networks.smile_networks`."""
        return smile_networks(self.options)

    def samples(self, rng: Generator) -> Iterator[dict[str, Any]]:
        """Patches of the streams in turn."""
        return self._drawing.samples(rng)

    def redraw(self, sample: dict[str, Any], rng: Generator) -> dict[str, Any]:
        """See :func:`pseudonormal.recipes.smile.rows.row`."""
        return row(sample, self.options.dimensions, rng)

    def loss(self, networks: Mapping[str, nn.Module], batch: Mapping[str, Tensor], turn: Turn) -> dict[str, Tensor]:
        """See :mod:`pseudonormal.recipes.smile.loss`."""
        weight = Weighted(self.options, turn.done)
        if turn.player == JUDGE:
            return discriminator_loss(networks, batch, weight)
        parent = self._parent_on(batch["image"].device)
        return makers_loss(networks, turn.teachers, parent, batch, weight, self._prior)

    def check(self, networks: Mapping[str, nn.Module], run: Path) -> dict[str, float]:
        """Look at scans that are kept aside and at unlabelled ones; see :class:`Checking`."""
        return self._checking.check(networks, run)

    def _parent_on(self, device: torch.device) -> Mapping[str, nn.Module] | None:
        if self._parent is not None:
            for network in self._parent.values():
                network.to(device)
        return self._parent
