"""Masks from a trained generator: in the frame, as shapes for simulated lesions, and in their place in a brain."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import ndimage
from torch import nn

from pseudonormal.errors import InputError
from pseudonormal.lesions.in_place import BrainFrame
from pseudonormal.networks.mask_gan import LATENT, MaskGenerator
from pseudonormal.recipes.mask_gan.frame import asked_size, carried, voxel_mm
from pseudonormal.recipes.mask_gan.options import GENERATOR, NAME, MaskGanOptions
from pseudonormal.regions import bounding_box, largest
from pseudonormal.training.run_weights import with_weights
from pseudonormal.training.settings import read_options, read_settings

TRIES = 20  # draws until a mask shows something
LEAST = 4  # voxels of the frame
PAD = 2


class MaskGan:
    """Draws masks; a :class:`~pseudonormal.lesions.shapes.ShapeSource` where it was trained in 3D."""

    def __init__(self, generator: nn.Module, options: MaskGanOptions) -> None:
        """Take a trained generator, in evaluation mode."""
        self._generator, self.options = generator, options

    def masks(self, about: NDArray[np.float32], rng: Generator) -> NDArray[np.float32]:
        """One mask for each row of what is asked.

        :param about: (N, 2), see :func:`pseudonormal.recipes.mask_gan.frame.about`.
        :returns: (N, *S) in [0, 1], in the frame.
        """
        asked = np.zeros_like(about) if self.options.no_condition else about.astype(np.float32)
        latent = rng.standard_normal((len(about), LATENT), dtype=np.float32)
        device = next(self._generator.parameters()).device
        with torch.inference_mode():
            answer = self._generator(*(torch.from_numpy(part)[:, None].to(device) for part in (latent, asked)))
        drawn: NDArray[np.float32] = (answer[:, 0].float().cpu().numpy() + 1) / 2
        return drawn

    def draw(self, voxels: int, rng: Generator) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """A shape of a wanted volume, see :class:`~pseudonormal.lesions.shapes.ShapeSource`.

        Its largest piece, asked to be of that volume and then scaled to exactly that.
        """
        self._check_volume()
        side = float(rng.uniform(-1, 1))
        field = self._one(voxels / 1000, side, rng)
        field = np.where(largest(field > 0.5) | (field <= 0.5), field, 0)
        box = bounding_box(field > 0.5)
        assert box is not None
        part = np.pad(field, PAD)[tuple(slice(s.start, s.stop + 2 * PAD) for s in box)]
        steps = voxel_mm(self.options.voxels)
        scale = float((voxels / ((part > 0.5).sum() * steps.prod())) ** (1 / 3))
        # voxels of the frame count a small shape badly; those of its enlargement count it well
        scale *= float((voxels / max(1, (_enlarged(part, steps * scale) > 0.5).sum())) ** (1 / 3))
        return _enlarged(part, steps * scale), {"shape": NAME, "scale": scale, "side": side}

    def in_brain(
        self,
        ml: float,
        side: float,
        frame: BrainFrame,
        start: Sequence[int],
        shape: tuple[int, int, int],
        rng: Generator,
    ) -> NDArray[np.float32]:
        """A whole mask at its place in a brain.

        :param ml: wanted volume, in a brain of MNI's size.
        :param side: -1 for the left, 1 for the right, 0 for both.
        :param frame: of the brain, on its grid (1 mm, RAS axes); start, shape: a box of that grid.
        :returns: (D, H, W) opacity in [0, 1].
        """
        self._check_volume()
        return np.clip(carried(self._one(ml, side, rng), frame, start, shape), 0, 1).astype(np.float32)

    def _one(self, size: float, side: float, rng: Generator) -> NDArray[np.float32]:
        asked = np.array([[asked_size(size, self.options.dimensions), side]], np.float32)
        for _ in range(TRIES):
            field: NDArray[np.float32] = self.masks(asked, rng)[0]
            if (field > 0.5).sum() >= LEAST:
                return field
        raise InputError(
            f"the generator of masks draws none of {size:.3g} ml: ask for others, or train it longer or on such masks"
        )

    def _check_volume(self) -> None:
        if self.options.dimensions != 3:
            raise InputError("this run of recipe mask-gan draws slices; simulated lesions need one with dimensions=3")


def _enlarged(part: NDArray[np.float32], steps: NDArray[np.float64]) -> NDArray[np.float32]:
    """A part of the frame whose voxels have these edges (z, y, x), on a grid of 1."""
    shape = tuple(int(np.ceil(n * step)) for n, step in zip(part.shape, steps, strict=True))
    offset = (np.array(part.shape) - 1) / 2 - (np.array(shape) - 1) / 2 / steps
    enlarged: NDArray[np.float32] = ndimage.affine_transform(part.astype(np.float32), 1 / steps, offset, shape, order=1)
    return enlarged


def mask_generator(options: MaskGanOptions) -> nn.Module:
    """A fresh generator."""
    return MaskGenerator(options.voxels, spatial_dims=options.dimensions, width=options.width)


def load_mask_gan(run: Path, device: torch.device) -> MaskGan:
    """The generator of a run that has ended.

    :raises InputError: the folder holds no such run, or one that is damaged or not ended.
    """
    recipe, _ = read_settings(run)
    if recipe != NAME:
        raise InputError(f"{run}: is a run of recipe {recipe}: give one of recipe {NAME}")
    options = read_options(run, MaskGanOptions())
    return MaskGan(with_weights(mask_generator(options), run, GENERATOR, device), options)
