"""Whether drawn masks are as large as they were asked to be, and on that side; what the generator loses if not."""

from __future__ import annotations

import torch
from torch import Tensor

from pseudonormal.recipes.mask_gan.frame import LEAST_SIZE, USUAL, size_of_voxel

STEEPNESS = 10.0  # of the sigmoid that counts voxels: one that is not lesion shall not count, in 64,000 of them


def about_drawn(drawn: Tensor) -> Tensor:
    """What masks are like, as :func:`pseudonormal.recipes.mask_gan.frame.about` says it, with gradients.

    :param drawn: (B, 1, *S) in [-1, 1], above 0 in the lesion.
    :returns: (B, 2): ``log10(size) - usual``, side.
    """
    lesion = torch.sigmoid(STEEPNESS * drawn[:, 0].float())
    dimensions, edge = lesion.ndim - 1, lesion.shape[-1]
    columns = lesion.flatten(1, -2).sum(1)
    total = columns.sum(1)
    size = total * size_of_voxel(dimensions, edge)
    half = edge // 2
    side = (columns[:, -half:].sum(1) - columns[:, :half].sum(1)) / total.clamp_min(1.0)
    return torch.stack([torch.log10(size + LEAST_SIZE) - USUAL[dimensions], side], 1)


def unlike_asked(drawn: Tensor, asked: Tensor) -> Tensor:
    """Mean over rows of the squared differences to what was asked.

    :param asked: (B, 1, 2).
    """
    return (about_drawn(drawn) - asked[:, 0]).square().sum(1).mean()
