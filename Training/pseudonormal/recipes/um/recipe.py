"""Recipe ``um``: annotated scans made from unsupervised masks (Xing 2023, arXiv 2303.12747)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from numpy.random import Generator
from torch import Tensor, nn

from pseudonormal.networks.two_heads import TwoHeadGenerator
from pseudonormal.networks.two_scales import TwoScaleDiscriminator
from pseudonormal.recipes.um.checking import check
from pseudonormal.recipes.um.cuts import Cuts
from pseudonormal.recipes.um.drawing import Drawing
from pseudonormal.recipes.um.loss import JUDGED, discriminator_loss, generator_loss
from pseudonormal.recipes.um.material import UmMaterial
from pseudonormal.recipes.um.options import UmOptions
from pseudonormal.recipes.um.rows import row
from pseudonormal.training.trainable import Trainable, Turn

GENERATOR, JUDGE = "generator", "judge"
MORE = "a few more subjects with a mask are worth more than many without"


@dataclass
class UmRecipe(Trainable):
    """Trains a generator with two heads against a discriminator; see ``docs/recipes/um.md``.

    :param cuts: superpixels that are known already.
    """

    material: UmMaterial
    options: UmOptions = field(default_factory=UmOptions)
    cuts: Cuts = field(default_factory=Cuts)
    name: str = "um"
    players = MappingProxyType({GENERATOR: ("generator",), JUDGE: ("discriminator",)})

    def __post_init__(self) -> None:
        self._drawing = Drawing(self.material, self.options, self.cuts)
        self.streams = self._drawing.streams
        if len(self.material.drawn_subjects) == 1:
            (subject,) = self.material.drawn_subjects
            line = (
                f"lesions are drawn in one subject only ({subject}): synthetic ones will look like that one's; {MORE}"
            )
            self.remarks = (line,)

    def networks(self) -> dict[str, nn.Module]:
        """Fresh networks: "generator" and "discriminator"."""
        return {"generator": um_generator(self.options), "discriminator": _discriminator(self.options)}

    def samples(self, rng: Generator) -> Iterator[dict[str, Any]]:
        """Slices, montages or patches of the streams in turn."""
        return self._drawing.samples(rng)

    def redraw(self, sample: dict[str, Any], rng: Generator) -> dict[str, Any]:
        """See :func:`pseudonormal.recipes.um.rows.row`."""
        return dict(row(sample, self.options, rng))

    def loss(self, networks: Mapping[str, nn.Module], batch: Mapping[str, Tensor], turn: Turn) -> dict[str, Tensor]:
        """See :mod:`pseudonormal.recipes.um.loss`."""
        if turn.player == JUDGE:
            return discriminator_loss(networks, batch)
        return generator_loss(networks, turn.teachers, batch, self.options)

    def check(self, networks: Mapping[str, nn.Module], run: Path) -> dict[str, float]:
        """Look at scans that are kept aside; see :func:`pseudonormal.recipes.um.checking.check`."""
        return check(networks["generator"], self.material, self.options, self.cuts, run)


def um_generator(options: UmOptions) -> nn.Module:
    """A fresh generator."""
    return TwoHeadGenerator(options.dimensions, options.width)


def _discriminator(options: UmOptions) -> nn.Module:
    return TwoScaleDiscriminator(JUDGED, options.dimensions, options.judge_width, layers=2)
