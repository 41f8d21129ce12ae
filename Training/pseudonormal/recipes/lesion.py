"""Recipe ``lesion``: where is the disease, on any contrast."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor, nn

from pseudonormal.intensity import robust_z_scale
from pseudonormal.lesions.appearance import core
from pseudonormal.lesions.confounders import DARK, paint_agent, paint_vessels
from pseudonormal.lesions.in_place import InPlace
from pseudonormal.lesions.shapes import ShapeSource
from pseudonormal.lesions.source import EDGE, LEAST_INSIDE, LesionSource, Place
from pseudonormal.losses import weighted_cross_entropy, weighted_dice
from pseudonormal.networks.unet import unet
from pseudonormal.painting.contrast import WITH_AGENT
from pseudonormal.painting.render import bias_field
from pseudonormal.recipes.lesion_scenes import LesionScenes, Scene
from pseudonormal.regions import connected
from pseudonormal.training.streams import Anatomy, Reference
from pseudonormal.training.trainable import Trainable, Turn

LIMIT = (-6.0, 10.0)  # robust z beyond which intensities say no more
BIAS_ODDS = 0.5
SPREAD = 0.25  # a brain's robust standard deviation as a share of its median, roughly: what a bias field multiplies
SPANS = (3.5, 14.0)  # robust standard deviations that lesion strengths are a share of
# What is put into one patch: (odds, how many, volume range in ml)
LOADS: tuple[tuple[float, tuple[int, int], tuple[float, float]], ...] = (
    (0.2, (0, 0), (1.0, 1.0)),
    (0.3, (2, 14), (0.02, 1.0)),
    (0.25, (1, 2), (0.5, 15.0)),
    (0.25, (1, 1), (10.0, 110.0)),
)
BRIGHT_ODDS = {"flair": 0.9, "t2": 0.85, "pd": 0.8, "t1": 0.2, WITH_AGENT: 0.65}
# Vessels stand out where there is contrast agent, which only T1-weighted scans are made with, and as flow voids.
VESSEL_ODDS = {"flair": 0.15, "t2": 0.15, "pd": 0.1}
VESSEL_ODDS_ELSE = 0.4
# So many of another subject's lesions are put to their own places.
IN_PLACE_SHARE = (0.3, 1.0)
ROOM = 2  # voxels around a lesion that its appearance is worked out in
LARGE_ML = 8.0
CORE_ODDS = 0.45  # tumours and old strokes have an inside of another kind


def lesion_network(spatial_dims: int = 3) -> nn.Module:
    """Two input channels (robust z within the brain, brain mask), one logit; in 2D for slices."""
    return unet(2, 1, (24, 48, 96, 128, 160), spatial_dims=spatial_dims)


def network_input(image: NDArray[np.float32], brain: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Robust z of the brain, clipped, 0 outside.

    :param image: (D, H, W) any units.
    :returns: (D, H, W) float32.
    """
    median, sigma = robust_z_scale(image, brain)
    return np.where(brain, np.clip((image - median) / sigma, *LIMIT), 0).astype(np.float32)


@dataclass
class LesionRecipe(Trainable):
    """Trains :func:`lesion_network` on real labels and on simulated lesions in real and synthetic brains."""

    anatomies: Sequence[Anatomy]
    references: Sequence[Reference]
    shapes: Sequence[ShapeSource]
    in_place: InPlace
    name: str = "lesion"
    players = MappingProxyType({"lesion": ("lesion",)})

    def __post_init__(self) -> None:
        self._source = LesionSource(self.shapes)
        self._scenes = LesionScenes(self.anatomies, self.references, self.in_place)

    def networks(self) -> dict[str, nn.Module]:
        """See :func:`lesion_network`."""
        return {"lesion": lesion_network()}

    def samples(self, rng: Generator) -> Iterator[dict[str, Any]]:
        """Patches of 96³: "image" (robust z), "brain", "lesion", "weight"."""
        while True:
            yield self._with_lesions(self._scenes.draw(rng), rng)

    def _with_lesions(self, scene: Scene, rng: Generator) -> dict[str, Any]:
        """Add simulated lesions; strengths are in units of the brain's own spread."""
        image, brain = scene.image, scene.brain
        lesion = scene.known.copy()
        median, sigma = robust_z_scale(image, brain) if brain.sum() > 500 else (0.0, 1.0)
        # families speak of intensities in [0, 1]; the wider that range, the more a lesion stands out (0.5 to 7 z)
        span = float(rng.uniform(*SPANS))
        image = (image - median) / sigma
        if scene.shines is not None:
            image = paint_agent(image, brain, scene.shines, rng)
        if scene.shines is not None or rng.random() < VESSEL_ODDS.get(scene.sequence, VESSEL_ODDS_ELSE):
            image = paint_vessels(image, brain, rng, bright=scene.sequence not in VESSEL_ODDS)
        image = image / span + 0.5
        allowed = brain & ~scene.doubtful & ~scene.known
        dry = image > DARK / span + 0.5
        carried = scene.carried
        places = self._anywhere(allowed, rng) if carried is None else _in_place(carried, allowed & dry, rng)
        for place in places:
            painted = self._source.paint(image, place, self._family(scene.sequence, rng), rng)
            image = painted.image
            lesion |= painted.opacity > 0.5
            if place.record["volume_ml"] > LARGE_ML and rng.random() < CORE_ODDS:
                inner = Place(place.box, core(place.opacity, float(rng.uniform(0.2, 0.6))), place.record)
                image = self._source.paint(image, inner, self._family("any", rng), rng).image
        image = (image - 0.5) * span
        return {
            "image": np.where(brain, np.clip(image, *LIMIT), 0).astype(np.float16),
            "brain": brain,
            "lesion": lesion,
            "weight": ~scene.doubtful,
        }

    def _anywhere(self, allowed: NDArray[np.bool_], rng: Generator) -> Iterator[Place]:
        """Shapes from everywhere, put anywhere."""
        odds, counts, volumes = zip(*LOADS, strict=True)
        load = int(rng.choice(len(LOADS), p=odds))
        for _ in range(int(rng.integers(counts[load][0], counts[load][1] + 1))):
            place = self._source.place(allowed, rng, volume_ml=volumes[load])
            if place is not None:
                yield place

    def _family(self, sequence: str, rng: Generator) -> str:
        """A family of the sign that lesions mostly have in this sequence."""
        bright = rng.random() < BRIGHT_ODDS.get(sequence, 0.5)
        if rng.random() < 0.55:
            return "additive_bright" if bright else "additive_dark"
        return str(rng.choice(["opaque", "textured", "rim", "mass_effect", "replacing"]))

    def redraw(self, sample: dict[str, Any], rng: Generator) -> dict[str, Any]:
        """Mirror, bias field, gain, shift, a bent intensity curve, noise."""
        step = -1 if rng.random() < 0.5 else 1
        image = sample["image"].astype(np.float32)
        if rng.random() < BIAS_ODDS:
            signal = (1 + SPREAD * image) * bias_field(image.shape, rng)
            image = (signal - 1) / np.float32(SPREAD)
        image = image * np.float32(np.exp(rng.normal(0, 0.15))) + np.float32(rng.normal(0, 0.15))
        bend = rng.normal(0, 0.04)
        image = image + bend * image * np.abs(image)
        if rng.random() < 0.3:
            image += rng.standard_normal(image.shape, dtype=np.float32) * np.float32(rng.uniform(0, 0.2))
        image = np.where(sample["brain"], np.clip(image, *LIMIT), 0).astype(np.float32)
        arrays = {"image": image, "brain": sample["brain"], "lesion": sample["lesion"], "weight": sample["weight"]}
        return {key: np.ascontiguousarray(value[:, :, ::step]) for key, value in arrays.items()}

    def loss(self, networks: Mapping[str, nn.Module], batch: Mapping[str, Tensor], turn: Turn) -> dict[str, Tensor]:
        """Dice plus cross-entropy, blind to doubtful voxels and to everything outside the brain."""
        logits = networks[turn.player](torch.cat([batch["image"], batch["brain"]], 1)).float()
        weight = batch["weight"] * batch["brain"]
        dice = weighted_dice(logits.sigmoid(), batch["lesion"], weight, smooth=20.0)
        entropy = weighted_cross_entropy(logits, batch["lesion"], weight)
        return {"loss": dice + 2 * entropy, "dice_loss": dice.detach(), "entropy": entropy.detach()}


def _in_place(carried: NDArray[np.float32], allowed: NDArray[np.bool_], rng: Generator) -> Iterator[Place]:
    """Some of the lesions that were carried here, those that lie in allowed tissue for the most part."""
    labels, _ = connected(carried > EDGE)
    share = rng.uniform(*IN_PLACE_SHARE)
    for number, tight in enumerate(ndimage.find_objects(labels), start=1):
        box = tuple(slice(max(0, s.start - ROOM), s.stop + ROOM) for s in tight)
        own = labels[box] == number
        if rng.random() < share and allowed[box][own].mean() >= LEAST_INSIDE:
            opacity = np.clip((carried[box] - EDGE) / (1 - EDGE), 0, 1) * (own & allowed[box])
            yield Place((box[0], box[1], box[2]), opacity.astype(np.float32), {"volume_ml": float(own.sum()) / 1000})
