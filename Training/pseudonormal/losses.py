"""Losses as pure functions; weights are per voxel."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def weighted_dice(probability: Tensor, target: Tensor, weight: Tensor | None = None, *, smooth: float = 1.0) -> Tensor:
    """Soft Dice loss with voxel weights, averaged over the batch.

    ``1 - (2 sum w p y + s) / (sum w (p + y) + s)``.

    :param probability: (B, 1, D, H, W) in [0, 1].
    :param target: (B, 1, D, H, W) in [0, 1].
    :param weight: (B, 1, D, H, W), 0 = do not trust this voxel.
    """
    weight = torch.ones_like(target) if weight is None else weight
    dims = tuple(range(1, probability.ndim))
    overlap = (weight * probability * target).sum(dims)
    total = (weight * (probability + target)).sum(dims)
    return (1 - (2 * overlap + smooth) / (total + smooth)).mean()


def weighted_cross_entropy(logits: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
    """Binary cross-entropy with voxel weights: ``sum w bce / max(sum w, 1)`` over the whole batch.

    :param logits: (B, 1, D, H, W).
    :param target: (B, 1, D, H, W) in [0, 1].
    :param weight: (B, 1, D, H, W), 0 = do not trust this voxel.
    """
    losses = functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
    return losses.mean() if weight is None else (losses * weight).sum() / weight.sum().clamp_min(1.0)


def log_squared_error(output: Tensor, truth: Tensor, mask: Tensor, *, floor: float = 1e-4) -> Tensor:
    """Mean over the batch of ``log(MSE inside the mask + floor)``: what PSNR measures, up to a factor.

    A plain squared error is ruled by the few lesions in bright, busy tissue; its logarithm counts each lesion alike.

    :param output: (B, 1, D, H, W).
    :param truth: (B, 1, D, H, W) in the same units.
    :param mask: (B, 1, D, H, W), 1 inside.
    :param floor: squared error below which it pays little to improve.
    """
    dims = tuple(range(1, output.ndim))
    squared = ((output - truth) ** 2 * mask).sum(dims) / mask.sum(dims).clamp_min(1.0)
    return torch.log(squared + floor).mean()


def laplace_nll(log_scale: Tensor, error: Tensor, mask: Tensor) -> Tensor:
    """Negative log-likelihood of absolute errors under a Laplace law: ``mean(|e| / b + log b)``, b = exp(log_scale).

    The minimiser is b = E|e|: the expected absolute error (Kendall and Gal 2017).

    :param log_scale: (B, 1, D, H, W).
    :param error: (B, 1, D, H, W), either sign.
    :param mask: (B, 1, D, H, W), 1 where errors count.
    """
    losses = error.abs() * torch.exp(-log_scale) + log_scale
    return (losses * mask).sum() / mask.sum().clamp_min(1.0)
