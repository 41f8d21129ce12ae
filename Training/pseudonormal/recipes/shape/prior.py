"""Shape space as a prior for other segmentors: a mask shall be like its own reconstruction."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from pseudonormal.errors import InputError
from pseudonormal.losses import row_mean
from pseudonormal.networks.mask_vae import MaskVae
from pseudonormal.recipes.shape.generator import read_generator


class ShapePrior:
    """The shape space of a run of recipe ``shape``, for patches of 1 mm."""

    def __init__(self, shapes: nn.Module, edge: int, voxel_mm: float) -> None:
        """Take shape space and its frame."""
        assert isinstance(shapes, MaskVae)
        self._shapes, self._edge, self._voxel_mm = shapes, edge, voxel_mm

    @classmethod
    def of_run(cls, run: Path, dimensions: int) -> ShapePrior:
        """Load it.

        :raises InputError: the run cannot be used, or is of another number of dimensions.
        """
        generator = read_generator(run, "cpu")
        if "shapes" not in generator.networks:
            raise InputError(f"{run}: was trained with patch_judge=1 and has no shape space: train it without")
        if generator.options.dimensions != dimensions:
            raise InputError(
                f"{run}: knows shapes in {generator.options.dimensions}D: give a run with dimensions={dimensions}"
            )
        return cls(generator.networks["shapes"], generator.options.edge, generator.options.voxel_mm)

    def loss(self, probability: Tensor, weight: Tensor) -> Tensor:
        """Mean distance of masks to their reconstruction from shape space, ``|p - Dec(E(p >= 1/2))|``.

        Patches are brought to the frame's voxels and into its middle. Where nothing is found there is no shape to ask
        for, and no loss.

        :param probability: (B, 1, *S), 1 mm.
        :param weight: (B, 1, *S), 0 = say nothing here.
        """
        self._shapes.to(probability.device)
        coarse, trusted = self._framed(probability), self._framed(weight)
        with torch.no_grad():
            found = (coarse >= 0.5).to(coarse.dtype)
            plausible = self._shapes.shape_at(self._shapes.place(found))
        there_is = found.flatten(1).amax(1).view(-1, *[1] * (found.ndim - 1))
        return row_mean((coarse - plausible).abs(), trusted * there_is)

    def _framed(self, patch: Tensor) -> Tensor:
        """In the frame's voxels, in the middle of the frame; cut where it is larger."""
        sizes = [max(1, round(n / self._voxel_mm)) for n in patch.shape[2:]]
        pool = functional.adaptive_avg_pool2d if patch.ndim == 4 else functional.adaptive_avg_pool3d
        small = pool(patch, sizes)  # type: ignore[arg-type]  # any sequence
        missing = [self._edge - n for n in sizes]
        # a negative one cuts
        pads = [pad for more in reversed(missing) for pad in (more // 2, more - more // 2)]
        return functional.pad(small, pads)
