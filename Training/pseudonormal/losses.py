"""Losses as pure functions; weights are per voxel; S is (D, H, W) or (H, W)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional


def weighted_dice(probability: Tensor, target: Tensor, weight: Tensor | None = None, *, smooth: float = 1.0) -> Tensor:
    """Soft Dice loss with voxel weights, averaged over the batch.

    ``1 - (2 sum w p y + s) / (sum w (p + y) + s)``.

    :param probability: (B, 1, *S) in [0, 1].
    :param target: (B, 1, *S) in [0, 1].
    :param weight: (B, 1, *S), 0 = do not trust this voxel.
    """
    weight = torch.ones_like(target) if weight is None else weight
    dims = tuple(range(1, probability.ndim))
    overlap = (weight * probability * target).sum(dims)
    total = (weight * (probability + target)).sum(dims)
    return (1 - (2 * overlap + smooth) / (total + smooth)).mean()


def weighted_cross_entropy(logits: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
    """Binary cross-entropy with voxel weights: ``sum w bce / max(sum w, 1)`` over the whole batch.

    :param logits: (B, 1, *S).
    :param target: (B, 1, *S) in [0, 1].
    :param weight: (B, 1, *S), 0 = do not trust this voxel.
    """
    losses = functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
    return losses.mean() if weight is None else (losses * weight).sum() / weight.sum().clamp_min(1.0)


def log_squared_error(output: Tensor, truth: Tensor, mask: Tensor, *, floor: float = 1e-4) -> Tensor:
    """Mean over the batch of ``log(MSE inside the mask + floor)``: what PSNR measures, up to a factor.

    A plain squared error is ruled by the few lesions in bright, busy tissue; its logarithm counts each lesion alike.

    :param output: (B, 1, *S).
    :param truth: (B, 1, *S) in the same units.
    :param mask: (B, 1, *S), 1 inside.
    :param floor: squared error below which it pays little to improve.
    """
    dims = tuple(range(1, output.ndim))
    squared = ((output - truth) ** 2 * mask).sum(dims) / mask.sum(dims).clamp_min(1.0)
    return torch.log(squared + floor).mean()


def laplace_nll(log_scale: Tensor, error: Tensor, mask: Tensor) -> Tensor:
    """Negative log-likelihood of absolute errors under a Laplace law: ``mean(|e| / b + log b)``, b = exp(log_scale).

    The minimiser is b = E|e|: the expected absolute error (Kendall and Gal 2017).

    :param log_scale: (B, 1, *S).
    :param error: (B, 1, *S), either sign.
    :param mask: (B, 1, *S), 1 where errors count.
    """
    losses = error.abs() * torch.exp(-log_scale) + log_scale
    return (losses * mask).sum() / mask.sum().clamp_min(1.0)


def row_mean(losses: Tensor, weight: Tensor) -> Tensor:
    """Each sample's weighted mean over its voxels, averaged over the batch: ``mean_b(sum w l / max(sum w, 1))``.

    Each sample counts alike, one that may teach nothing as 0; so the mean over the halves of a batch is that over the
    whole, and processes can share it.

    :param losses: (B, 1, *S) a loss for each voxel.
    :param weight: (B, 1, *S), 0 = do not trust this voxel.
    """
    dims = tuple(range(1, losses.ndim))
    return ((losses * weight).sum(dims) / weight.sum(dims).clamp_min(1.0)).mean()


def segmentation_loss(logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Dice plus twice the cross-entropy, each sample alike.

    :param logits: (B, 1, *S).
    :param target: (B, 1, *S) in [0, 1].
    :param weight: (B, 1, *S), 0 = do not trust this voxel.
    """
    entropy = functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
    return weighted_dice(logits.sigmoid(), target, weight, smooth=20.0) + 2 * row_mean(entropy, weight)


def consistency(logits: Tensor, teacher: Tensor, weight: Tensor, sure: float) -> Tensor:
    """Agreement with a teacher where it is sure: :func:`segmentation_loss` against its decisions (Sohn 2020, FixMatch).

    :param logits: (B, 1, *S) of the student, who saw the image more strongly changed.
    :param teacher: (B, 1, *S) probabilities; no gradient goes into them.
    :param weight: (B, 1, *S), 0 = say nothing here.
    :param sure: probability, of either answer, from which the teacher is believed.
    """
    teacher = teacher.detach()
    believed = weight * (torch.maximum(teacher, 1 - teacher) >= sure)
    return segmentation_loss(logits, (teacher >= 0.5).to(logits.dtype), believed)


def still_found(logits: Tensor, weight: Tensor) -> Tensor:
    """How much of a lesion a segmentor still sees: ``-log(1 - p)``, which pulls at p near 1 where p itself does not.

    :param logits: (B, 1, *S) of the segmentor on the restored image.
    :param weight: (B, 1, *S), 1 inside the mask.
    """
    return row_mean(functional.softplus(logits), weight)


def energy_score(first: Tensor, second: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    """``(|a - x| + |b - x|) / 2 - |a - b| / 2`` for two draws a and b (Gneiting and Raftery 2007).

    The least value has whoever draws from the truth's own distribution; with a = b it is the absolute error, so that
    a painter which ignores its noise is an L1 regression and one which uses it is better.

    :param first: (B, 1, *S); second likewise, from other noise.
    :param truth: (B, 1, *S).
    :param weight: (B, 1, *S).
    """
    apart = ((first - truth).abs() + (second - truth).abs() - (first - second).abs()) / 2
    return row_mean(apart, weight)


def least_squares(logits: Tensor, wanted: float, weight: Tensor) -> Tensor:
    """Adversarial loss ``(D - wanted)^2`` (Mao 2017, LSGAN), patches weighted by what they show.

    :param logits: (B, 1, *s) one for each patch.
    :param wanted: 1 for what is to pass as real, else 0.
    :param weight: (B, 1, *S) of voxels; a patch counts by the mean over the part of the image that it stands for.
    """
    pool = functional.adaptive_avg_pool2d if logits.ndim == 4 else functional.adaptive_avg_pool3d
    return row_mean((logits - wanted) ** 2, pool(weight, logits.shape[2:]))  # type: ignore[arg-type]  # any sequence


def noise_weighted_dice(
    probability: Tensor, target: Tensor, weight: Tensor, row_weight: Tensor, *, smooth: float = 1.0
) -> Tensor:
    """Dice against labels that may be wrong: ``sum_n W_n L_n / B``, ``L_n`` as :func:`weighted_dice` of row n.

    :param probability: (B, 1, *S) in [0, 1].
    :param target: (B, 1, *S) in [0, 1].
    :param weight: (B, 1, *S), how far each voxel's label is trusted.
    :param row_weight: (B,), how far each row is; relative to a mean of about 1, which the caller sees to, so that
        processes can share the rows.
    """
    dims = tuple(range(1, probability.ndim))
    overlap = (weight * probability * target).sum(dims)
    total = (weight * (probability + target)).sum(dims)
    return (row_weight * (1 - (2 * overlap + smooth) / (total + smooth))).mean()


def noise_robust_dice(probability: Tensor, target: Tensor, *, gamma: float = 1.5, smooth: float = 1e-2) -> Tensor:
    """``sum |p - y|^gamma / sum (p^2 + y^2)``, each row alike (Wang 2020, COPLE-Net); gamma 2 is Dice, 1 near MAE.

    :param probability: (B, 1, *S) in [0, 1].
    :param target: (B, 1, *S) in [0, 1].
    """
    dims = tuple(range(1, probability.ndim))
    apart = (probability - target).abs().clamp_min(1e-6).pow(gamma).sum(dims)
    return (apart / ((probability.square() + target.square()).sum(dims) + smooth)).mean()


def generalised_cross_entropy(probability: Tensor, target: Tensor, *, q: float = 0.7) -> Tensor:
    """``(1 - p_y^q) / q`` with p_y the probability of the label (Zhang and Sabuncu 2018); q 1 is MAE, 0 cross-entropy.

    :param probability: (B, 1, *S) in [0, 1].
    :param target: (B, 1, *S) in {0, 1}.
    """
    of_label = torch.where(target > 0.5, probability, 1 - probability).clamp_min(1e-6)
    return ((1 - of_label.pow(q)) / q).mean()


def gradient_penalty(critic: Callable[[Tensor], Tensor], real: Tensor, made: Tensor, mix: Tensor) -> Tensor:
    """``(|grad D(e x + (1 - e) y)| - 1)^2``, mean over rows (Gulrajani 2017, WGAN-GP).

    :param critic: gives (B, 1) of (B, 1, *S).
    :param real: (B, 1, *S) x; ``made`` likewise, y: no gradient goes into either.
    :param mix: (B, ...) e in [0, 1], one number a row.
    """
    share = mix.reshape(-1, *[1] * (real.ndim - 1))
    with torch.autocast(real.device.type, enabled=False):  # the norm of a gradient in half precision is noise
        between = (share * real.detach() + (1 - share) * made.detach()).float().requires_grad_(True)
        (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    return (slope.flatten(1).norm(dim=1) - 1).square().mean()
