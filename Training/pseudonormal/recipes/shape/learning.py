"""Learning a segmentor from labels that may be wrong: one round of the noise-robust stage."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor, nn

from pseudonormal.losses import generalised_cross_entropy, noise_robust_dice, noise_weighted_dice, weighted_dice
from pseudonormal.networks.unet import unet
from pseudonormal.recipes.shape.drawing import as_seen
from pseudonormal.recipes.shape.labelling import LEAST_WEIGHT, Answer
from pseudonormal.recipes.shape.masks import small_move
from pseudonormal.recipes.shape.material import Framed
from pseudonormal.training.crops import box_around, padded
from pseudonormal.training.ranges import check_options
from pseudonormal.training.trainable import Trainable, Turn

LOSSES = ("noise_weighted_dice", "dice", "mae", "gce", "noise_robust_dice")
NETWORKS = ("segment",)
CHANNELS = (16, 32, 64, 96)
PATCH = 64  # voxels, of a volume's boxes
MOVED_ODDS = 0.5
ON_OBJECT = 0.7  # share of the boxes that are centred on the label
HEARD_AFTER = 0.2  # share of a round in which the moving average comes to be heard wholly
OUTLINE_STEP = 0.1  # logits, by which its outline moves in a step


@dataclass(frozen=True)
class LearningOptions:
    """How a round learns from labels that may be wrong.

    :param dimensions: 3, or 2 for axial slices.
    :param loss: "noise_weighted_dice", or a control: "dice", "mae", "gce", "noise_robust_dice".
    :param gamma: exponent of noise_robust_dice.
    :param q: exponent of gce.
    :param no_voxel_weights: all voxels of a label count alike.
    :param no_scan_weights: all labels count alike.
    :param same_size: ellipses are as large, on the whole, as the objects in the scans: before the first round outlines
        are moved, all by the same part of a voxel, until pseudo-labels are so too. Nothing with other auxiliary masks.
    :param same_place: where masks of other subjects lie much alike, pseudo-labels are sure before the first round only
        as far as they lie there too.
    :param doubt_begin: share of a round after which the moving average is heard about single voxels.
    """

    dimensions: int = 3
    loss: str = "noise_weighted_dice"
    gamma: float = 1.5
    q: float = 0.7
    no_voxel_weights: bool = False
    no_scan_weights: bool = False
    same_size: bool = True
    same_place: bool = True
    doubt_begin: float = 0.3

    def __post_init__(self) -> None:
        """Refuse what cannot be meant.

        :raises InputError: naming the option and what it may be.
        """
        rules = {
            "dimensions": (self.dimensions in (2, 3), "2 or 3"),
            "loss": (self.loss in LOSSES, f"one of {', '.join(LOSSES)}"),
            "gamma": (1 <= self.gamma <= 2, "from 1 to 2"),
            "q": (0 < self.q <= 1, "above 0, 1 at most"),
            "doubt_begin": (0 <= self.doubt_begin <= 1, "a share of the round, from 0 to 1"),
        }
        check_options(self, rules)


@dataclass(frozen=True)
class Labelled:
    """A scan with a label that may be wrong.

    :param mask: (D, H, W) bool.
    :param trust: for each slice in 2D, else one number.
    :param sure: (D, H, W) float32 in [0, 1], how sure each voxel of it is; None: wholly.
    """

    scan: Framed
    mask: NDArray[np.bool_]
    trust: NDArray[np.float32]
    sure: NDArray[np.float32] | None = None


@dataclass
class LearningRecipe(Trainable):
    """Trains "segment", a U-Net, on labels that may be wrong."""

    labelled: Sequence[Labelled]
    options: LearningOptions = field(default_factory=LearningOptions)
    held_out: Sequence[Framed] = ()
    name: str = "shape-learning"

    def __post_init__(self) -> None:
        flat = self.options.dimensions == 2
        drawn = [float(one.trust[n]) for one in self.labelled for n in (one.scan.levels if flat else [0])]
        self._mean_trust = float(np.mean(drawn)) if drawn else 1.0
        self._outline = 0.0  # logit; in memory only: a round that goes on finds it again within some steps

    @property
    def players(self) -> Mapping[str, tuple[str, ...]]:
        """One."""
        return {"segment": NETWORKS}

    def networks(self) -> dict[str, nn.Module]:
        """A U-Net: one picture, one logit."""
        return {"segment": unet(1, 1, CHANNELS, spatial_dims=self.options.dimensions)}

    def samples(self, rng: Generator) -> Iterator[dict[str, Any]]:
        """Slices, or boxes of volumes, with label and trust."""
        while True:
            one = self.labelled[int(rng.integers(len(self.labelled)))]
            if self.options.dimensions == 2:
                levels = one.scan.levels
                level = levels[int(rng.integers(len(levels)))]
                image, mask, trust = one.scan.image[level], one.mask[level], one.trust[level]
                sure = np.ones(mask.shape, np.float32) if one.sure is None else one.sure[level]
            else:
                places = np.argwhere(one.mask if one.mask.any() and rng.random() < ON_OBJECT else one.scan.region)
                edges = [min(PATCH, n) for n in one.mask.shape]
                box = box_around(places[int(rng.integers(len(places)))], edges, one.mask.shape)
                image, mask = padded(one.scan.image[box], edges), padded(one.mask[box], edges)
                sure = np.ones(mask.shape, np.float32) if one.sure is None else padded(one.sure[box], edges)
                trust = one.trust[0]
            relative = float(trust) / max(self._mean_trust, 1e-3)
            yield {"picture": as_seen(image), "label": mask, "sure": sure, "trust": relative}

    def redraw(self, sample: dict[str, Any], rng: Generator) -> dict[str, Any]:
        """Turned, scaled and flipped; another gain, shift and noise."""
        picture, mask, sure = sample["picture"], sample["label"].astype(np.float32), sample["sure"]
        if rng.random() < MOVED_ODDS:
            move = small_move(picture.shape, rng)
            picture, mask, sure = move(picture), (move(mask) >= 0.5).astype(np.float32), move(sure)
        picture = picture * np.exp(rng.normal(0, 0.1)) + rng.normal(0, 0.1)
        picture = picture + rng.uniform(0, 0.1) * rng.standard_normal(picture.shape)
        flip = -1 if rng.random() < 0.5 else 1
        return {
            "picture": np.ascontiguousarray(picture[..., ::flip], np.float32),
            "label": np.ascontiguousarray(mask[..., ::flip]),
            "sure": np.ascontiguousarray(sure[..., ::flip]),
            "trust": np.full((1,) * picture.ndim, sample["trust"], np.float32),
        }

    def loss(self, networks: Mapping[str, nn.Module], batch: Mapping[str, Tensor], turn: Turn) -> dict[str, Tensor]:
        """The chosen loss.

        Voxel weights are how sure who labelled was of a voxel, times one minus the moving average's doubt, 0.1 at
        least: what does not fit the label after a while is more likely the label's fault.
        """
        options, target = self.options, batch["label"]
        probability = networks["segment"](batch["picture"]).float().sigmoid()
        if options.loss == "dice":
            return {"loss": weighted_dice(probability, target)}
        if options.loss == "mae":
            return {"loss": (probability - target).abs().mean()}
        if options.loss == "gce":
            return {"loss": generalised_cross_entropy(probability, target, q=options.q)}
        if options.loss == "noise_robust_dice":
            return {"loss": noise_robust_dice(probability, target, gamma=options.gamma)}
        weight = torch.ones_like(target)
        if not options.no_voxel_weights:
            weight = batch["sure"]
        if not options.no_voxel_weights and turn.done > options.doubt_begin:
            weight = weight * (1 - self._doubt(batch, turn))
        weight = weight.clamp(LEAST_WEIGHT, 1.0)
        trust = batch["trust"].flatten(1)[:, 0]
        rows = torch.ones_like(trust) if options.no_scan_weights else trust
        return {"loss": noise_weighted_dice(probability, target, weight, rows), "weight": weight.mean().detach()}

    @torch.no_grad()
    def _doubt(self, batch: Mapping[str, Tensor], turn: Turn) -> Tensor:
        """``r |p - y|`` with p of the moving average; r rises from 0 to 1, for one that has hardly learnt is no judge.

        Dice draws outlines that it is unsure of too large, and weights from them would only confirm that. So the
        average's outline is first moved to where as many labels are larger than it as are smaller: most labels are
        right, so the middle one is.

        :returns: (B, 1, *S) in [0, 1].
        """
        target = batch["label"]
        logits = turn.teachers["segment"](batch["picture"]).float()
        size, wanted = (logits > self._outline).flatten(1).sum(1), target.flatten(1).sum(1)
        too_large = (size - wanted).sign()[wanted > 0]
        if too_large.numel():
            self._outline += OUTLINE_STEP * float(too_large.mean())
        heard = min(1.0, (turn.done - self.options.doubt_begin) / HEARD_AFTER)
        return heard * ((logits - self._outline).sigmoid() - target).abs()

    def check(self, networks: Mapping[str, nn.Module], run: Path) -> dict[str, float]:
        """Nothing: rounds are judged from outside."""
        return {}


def answer_of_round(networks: Mapping[str, nn.Module], dimensions: int) -> Answer:
    """The segmentor's probabilities of a batch of whole pictures, padded to what it can take."""
    segment = networks["segment"]
    multiple = 2 ** (len(CHANNELS) - 1)

    def answer(picture: Tensor) -> Tensor:
        edges = picture.shape[2:]
        extra = [max(2 * multiple, multiple * math.ceil(n / multiple)) - n for n in edges]
        flat = [pad for more in reversed(extra) for pad in (0, more)]
        logits = segment(nn.functional.pad(picture, flat, value=-1.0))
        return logits[(..., *(slice(0, n) for n in edges))].float().sigmoid()

    return answer
