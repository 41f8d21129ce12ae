"""Recipe ``shape``: masks without annotation, from scans and auxiliary masks that do not belong together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from numpy.random import Generator
from torch import Tensor, nn

from pseudonormal.recipes.shape.checking import Checking
from pseudonormal.recipes.shape.drawing import STREAMS, Drawing
from pseudonormal.recipes.shape.loss import Rows, judges_loss, makers_loss, shapes_loss
from pseudonormal.recipes.shape.material import ShapeMaterial
from pseudonormal.recipes.shape.networks import shape_networks
from pseudonormal.recipes.shape.options import ShapeOptions
from pseudonormal.recipes.shape.pool import Pool
from pseudonormal.training.trainable import Trainable, Turn

MAKERS, JUDGES, SHAPES = "makers", "judges", "shapes"


@dataclass
class ShapeRecipe(Trainable):
    """Trains a CycleGAN whose masks are judged in shape space; see ``docs/recipes/shape.md``."""

    material: ShapeMaterial
    options: ShapeOptions = field(default_factory=ShapeOptions)
    name: str = "shape"
    streams: tuple[str, ...] = STREAMS

    def __post_init__(self) -> None:
        self._drawing = Drawing(self.material, self.options)
        self._checking = Checking(self.material, self.options)
        self._masks, self._pictures = Pool(), Pool()
        self._made: tuple[Tensor, Tensor] | None = None

    @property
    def players(self) -> Mapping[str, tuple[str, ...]]:
        """Generators, then discriminators; shape space learns before both and rests then."""
        players = {MAKERS: ("segment", "paint"), JUDGES: ("judge_images", "judge_masks")}
        return players if self.options.patch_judge else players | {SHAPES: ("shapes",)}

    def networks(self) -> dict[str, nn.Module]:
        """See :func:`pseudonormal.recipes.shape.networks.shape_networks`."""
        return shape_networks(self.options)

    def samples(self, rng: Generator) -> Iterator[dict[str, Any]]:
        """Pictures and masks in turn."""
        return self._drawing.samples(rng)

    def redraw(self, sample: dict[str, Any], rng: Generator) -> dict[str, Any]:
        """See :meth:`pseudonormal.recipes.shape.drawing.Drawing.row`."""
        return self._drawing.row(sample, rng)

    def loss(self, networks: Mapping[str, nn.Module], batch: Mapping[str, Tensor], turn: Turn) -> dict[str, Tensor]:
        """See :mod:`pseudonormal.recipes.shape.loss`."""
        if turn.player == SHAPES:
            return shapes_loss(networks, Rows(batch), self.options.beta)
        if "shapes" in networks:  # the average has less of the last steps' noise, and rests
            networks = {**networks, "shapes": turn.teachers["shapes"]}
        if turn.player == MAKERS:
            terms = makers_loss(networks, batch, self.options)
            self._made = terms.pop("made_masks"), terms.pop("made_pictures")
            return terms
        assert self._made is not None  # generators have their turn first
        rows = Rows(batch)
        masks, pictures = self._made
        count = len(masks)
        shown = self._masks.exchange(masks, rows.coins[:count]), self._pictures.exchange(pictures, rows.coins[count:])
        return judges_loss(networks, rows, *shown)

    def progress(self, player: str, done: float) -> float | None:
        """Shape space is learnt alone; generators and discriminators begin where it ends, at the full learning rate."""
        share = 0.0 if self.options.patch_judge else self.options.shape_share
        if (player == SHAPES) != (done < share):
            return None
        return done / share if player == SHAPES else (done - share) / (1 - share)

    def check(self, networks: Mapping[str, nn.Module], run: Path) -> dict[str, float]:
        """Look at pictures; see :class:`Checking`. Nothing while shape space is learnt."""
        if self._made is None:
            return {}
        found, self.remarks = self._checking.check(networks, run)
        return found
