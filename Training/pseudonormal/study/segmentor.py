"""A segmentor of its own, trained with or without augmentation: what pseudo-normals are worth to somebody else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor, nn

from pseudonormal.lesions.source import EDGE, LEAST_INSIDE
from pseudonormal.losses import segmentation_loss
from pseudonormal.recipes.lesion import LIMIT, lesion_network, network_input
from pseudonormal.regions import connected
from pseudonormal.training.crops import box_around, padded
from pseudonormal.training.references import Reference
from pseudonormal.training.trainer import Trainable, Turn

Augment = Callable[[Generator], Reference]
"""Makes a drawn scan that nobody has acquired."""

AUGMENTED = 0.5  # share of the slices
SLICES = 6  # of each augmented scan: making one costs more than looking at it
ON_LESION = 0.7  # share of the slices that show one, where there is one
COPIES = (1, 3)
TRIES = 20
SOFT = 0.7  # voxels


@dataclass
class SegmentorRecipe(Trainable):
    """A 2D U-Net on axial slices, of the same size as recipe ``smile``'s.

    :param scans: with drawn lesions; what nobody has drawn in (weight 0) teaches nothing.
    :param augment: makes other scans of them; None: there are only the scans.
    """

    scans: Sequence[Reference]
    augment: Augment | None
    edge: int = 96
    name: str = "segmentor"

    @property
    def players(self) -> Mapping[str, tuple[str, ...]]:
        """One, with its one network."""
        return {"segmentor": ("lesion",)}

    def networks(self) -> dict[str, nn.Module]:
        """One: "lesion"."""
        return {"lesion": lesion_network(2)}

    def samples(self, rng: Generator) -> Iterator[dict[str, Any]]:
        """Slices: "image" (robust z of the brain), "brain", "lesion", "weight"; (edge, edge)."""
        while True:
            if self.augment is not None and rng.random() < AUGMENTED:
                scan = self.augment(rng)
            else:
                scan = self.scans[int(rng.integers(len(self.scans)))]
            assert scan.lesion is not None
            weight = scan.brain if scan.weight is None else scan.brain * scan.weight
            z = network_input(scan.image, scan.brain)
            for _ in range(SLICES):
                yield self._slice(z, scan.brain, scan.lesion, np.asarray(weight, np.float32), rng)

    def _slice(
        self,
        z: NDArray[np.float32],
        brain: NDArray[np.bool_],
        lesion: NDArray[np.bool_],
        weight: NDArray[np.float32],
        rng: Generator,
    ) -> dict[str, Any]:
        aim = lesion if lesion.any() and rng.random() < ON_LESION else brain & (weight > 0)
        places = np.flatnonzero(aim)
        level, _, _ = np.unravel_index(int(places[rng.integers(len(places))]), aim.shape)
        middle = [int(level), aim.shape[1] // 2, aim.shape[2] // 2]
        edges = (1, self.edge, self.edge)
        box = box_around(middle, edges, aim.shape)
        parts = {"image": z, "brain": brain, "lesion": lesion, "weight": weight}
        return {key: padded(np.asarray(part[box], np.float32), edges)[0] for key, part in parts.items()}

    def redraw(self, sample: dict[str, Any], rng: Generator) -> dict[str, Any]:
        """Mirror, gain, shift, noise, a small move."""
        flip = -1 if rng.random() < 0.5 else 1
        move = rng.integers(-6, 7, 2)
        moved = {key: np.roll(value, move, (0, 1))[:, ::flip].astype(np.float32) for key, value in sample.items()}
        image = moved["image"] * np.float32(np.exp(rng.normal(0, 0.15))) + np.float32(rng.normal(0, 0.15))
        image += rng.standard_normal(image.shape, dtype=np.float32) * np.float32(rng.uniform(0, 0.15))
        moved["image"] = np.where(moved["brain"] > 0, np.clip(image, *LIMIT), 0).astype(np.float32)
        return moved

    def loss(self, networks: Mapping[str, nn.Module], batch: Mapping[str, Tensor], turn: Turn) -> dict[str, Tensor]:
        """Dice and cross-entropy, as recipe ``smile`` has them."""
        logits = networks["lesion"](torch.cat([batch["image"], batch["brain"]], 1)).float()
        loss = segmentation_loss(logits, batch["lesion"], batch["weight"])
        return {"loss": loss}


class Transplanting:
    """The usual way: lesions of other scans, intensities and all, put into normal tissue."""

    def __init__(self, scans: Sequence[Reference]) -> None:
        """Cut out the drawn lesions, in robust z of their brains."""
        self._scans = list(scans)
        self._lesions: list[tuple[NDArray[np.float32], NDArray[np.float32]]] = []
        for scan in scans:
            assert scan.lesion is not None
            z = network_input(scan.image, scan.brain)
            labels, _ = connected(scan.lesion)
            for number, tight in enumerate(ndimage.find_objects(labels), start=1):
                box = tuple(slice(max(0, s.start - 2), s.stop + 2) for s in tight)
                own = (labels[box] == number).astype(np.float32)
                soft = np.maximum(own, ndimage.gaussian_filter(own, SOFT))
                self._lesions.append((z[box], np.where(soft > EDGE, soft, 0).astype(np.float32)))

    def __call__(self, rng: Generator) -> Reference:
        """See ``Augment``; the scan's own lesions stay."""
        scan = self._scans[int(rng.integers(len(self._scans)))]
        assert scan.lesion is not None
        values = scan.image[scan.brain]
        median = float(np.median(values))
        sigma = 1.4826 * float(np.median(np.abs(values - median))) or 1.0
        image, lesion = scan.image.copy(), scan.lesion.copy()
        for _ in range(int(rng.integers(*COPIES, endpoint=True))):
            source, soft = self._lesions[int(rng.integers(len(self._lesions)))]
            flip = -1 if rng.random() < 0.5 else 1
            source, soft = source[:, :, ::flip], soft[:, :, ::flip]
            free = scan.brain & ~lesion
            box = _free_place(soft, free, rng)
            if box is not None:
                soft = soft * free[box]
                image[box] = image[box] * (1 - soft) + (source * sigma + median) * soft
                lesion[box] |= soft > 0.5
        return with_lesions(scan, image, lesion)


def with_lesions(scan: Reference, image: NDArray[np.float32], lesion: NDArray[np.bool_]) -> Reference:
    """A scan with more lesions than it had: what was put in is known where nothing else is."""
    weight = None if scan.weight is None else np.maximum(scan.weight, lesion).astype(np.float32)
    return replace(scan, image=image, lesion=lesion, weight=weight)


def _free_place(soft: NDArray[np.float32], free: NDArray[np.bool_], rng: Generator) -> tuple[slice, ...] | None:
    """A box of the shape's size in which most of it lies in free tissue; None where none was found."""
    room = [n - k for n, k in zip(free.shape, soft.shape, strict=True)]
    if min(room) < 0:
        return None
    own = soft > 0.5
    for _ in range(TRIES):
        corner = [int(rng.integers(r + 1)) for r in room]
        box = tuple(slice(c, c + k) for c, k in zip(corner, soft.shape, strict=True))
        if free[box][own].mean() >= LEAST_INSIDE:
            return box
    return None
