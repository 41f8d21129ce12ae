"""Recipe ``brain``: the foreground of any head scan, learnt from label maps alone (after SynthStrip, Hoopes 2022)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial.transform import Rotation
from torch import Tensor, nn

from pseudonormal.losses import weighted_cross_entropy, weighted_dice
from pseudonormal.networks.unet import unet
from pseudonormal.painting.contrast import draw_contrast
from pseudonormal.painting.render import render
from pseudonormal.training.streams import Anatomy
from pseudonormal.training.trainable import Trainable, Turn

GRID_MM = 2.0
SIZE = 96  # voxels of 2 mm: a head without its neck


def brain_network() -> nn.Module:
    """One input channel (standardised image at 2 mm), one logit."""
    return unet(1, 1, (16, 32, 64, 128, 160))


def standardise(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Zero mean, unit variance over the whole field of view, after clipping at the 99.5 percentile."""
    clipped = np.clip(image, np.percentile(image, 0.5), np.percentile(image, 99.5))
    return ((clipped - clipped.mean()) / max(float(clipped.std()), 1e-6)).astype(np.float32)


@dataclass
class BrainRecipe(Trainable):
    """Trains :func:`brain_network` on synthetic heads, with and without their skull."""

    anatomies: Sequence[Anatomy]
    name: str = "brain"
    players = MappingProxyType({"brain": ("brain",)})

    def networks(self) -> dict[str, nn.Module]:
        """See :func:`brain_network`."""
        return {"brain": brain_network()}

    def samples(self, rng: Generator) -> Iterator[dict[str, Any]]:
        """Heads of random pose, contrast, field of view, stripping and abnormality: "image" and "brain" (96³)."""
        while True:
            anatomy = self.anatomies[int(rng.integers(len(self.anatomies)))]
            groups, brain = pose(anatomy, rng)
            image = render(groups, draw_contrast(rng), rng, voxel_mm=GRID_MM)
            image = add_blobs(image, brain, rng)
            if rng.random() < 0.45:
                image = _strip(image, brain, rng)
            if rng.random() < 0.3:
                image, brain = _truncate(image, brain, rng)
            yield {"image": image.astype(np.float16), "brain": brain.astype(np.uint8)}

    def redraw(self, sample: dict[str, Any], rng: Generator) -> dict[str, Any]:
        """Mirror, gamma, standardise."""
        step = -1 if rng.random() < 0.5 else 1
        image = sample["image"][:, :, ::step].astype(np.float32)
        low, high = np.percentile(image[::4, ::4, ::4], [0.5, 99.5])
        image = np.clip((image - low) / max(high - low, 1e-6), 0, 1.3) ** np.exp(rng.normal(0, 0.25))
        return {"image": standardise(image), "brain": sample["brain"][:, :, ::step].copy()}

    def loss(self, networks: Mapping[str, nn.Module], batch: Mapping[str, Tensor], turn: Turn) -> dict[str, Tensor]:
        """Dice plus cross-entropy."""
        logits = networks[turn.player](batch["image"]).float()
        dice = weighted_dice(logits.sigmoid(), batch["brain"])
        entropy = weighted_cross_entropy(logits, batch["brain"])
        return {"loss": dice + entropy, "dice_loss": dice.detach()}


def pose(anatomy: Anatomy, rng: Generator) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Tissue groups and brain, turned, scaled and moved at random: (96, 96, 96) at 2 mm."""
    scale = GRID_MM * rng.uniform(0.87, 1.15)
    turn = Rotation.from_euler("zyx", rng.normal(0, [10, 8, 12]), degrees=True).as_matrix()
    matrix = turn * scale * rng.uniform(0.94, 1.06, 3)
    centre = ndimage.center_of_mass(anatomy.brain) + rng.normal(0, [14, 8, 8])
    offset = centre - matrix @ np.full(3, (SIZE - 1) / 2)
    turned = [
        ndimage.affine_transform(part.astype(np.uint8), matrix, offset, (SIZE,) * 3, order=0, mode="constant")
        for part in (anatomy.groups, anatomy.brain)
    ]
    return turned[0], turned[1] > 0


def add_blobs(image: NDArray[np.float32], brain: NDArray[np.bool_], rng: Generator) -> NDArray[np.float32]:
    """Up to three ellipsoids of any grey level, so that tumours at the surface still count as brain."""
    places = np.argwhere(brain)
    for _ in range(int(rng.integers(0, 4))):
        centre = places[int(rng.integers(len(places)))]
        radii = rng.uniform(3, 14, 3)
        grid = np.ogrid[: image.shape[0], : image.shape[1], : image.shape[2]]
        distance = sum(((g - c) / r) ** 2 for g, c, r in zip(grid, centre, radii, strict=True))
        cover = np.clip(1.5 - distance, 0, 1) * brain * rng.uniform(0.3, 1)
        level = float(image[brain].mean()) * rng.uniform(0.1, 2.2)
        image = image * (1 - cover) + level * cover
    return image


def _strip(image: NDArray[np.float32], brain: NDArray[np.bool_], rng: Generator) -> NDArray[np.float32]:
    """Skull-stripped as others do it: with more or less of a margin, on a background of any constant."""
    margin = rng.uniform(0, 2.2)
    keep = ndimage.distance_transform_edt(~brain) <= margin
    background = 0.0 if rng.random() < 0.7 else rng.uniform(-1, 0.2)
    return np.where(keep, image, background)


def _truncate(
    image: NDArray[np.float32], brain: NDArray[np.bool_], rng: Generator
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """A field of view that ends within the head; beyond it the border value goes on, as in inference."""
    axis, first = int(rng.integers(3)), bool(rng.random() < 0.5)
    extent = np.flatnonzero(brain.any(tuple(a for a in range(3) if a != axis)))
    cut = int(extent[0] + rng.uniform(0, 0.35) * (extent[-1] - extent[0]))
    if not first:
        cut = int(extent[-1] - (cut - extent[0]))
    beyond = [slice(None)] * 3
    beyond[axis] = slice(0, cut) if first else slice(cut + 1, None)
    image, brain = image.copy(), brain.copy()
    image[tuple(beyond)] = 0
    brain[tuple(beyond)] = False
    return image, brain
