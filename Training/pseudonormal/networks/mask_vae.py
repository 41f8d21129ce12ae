"""Shape space: a variational autoencoder of whole masks, and the discriminator that judges in it (VAE-D)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pseudonormal.monai_parts import VarAutoEncoder

LEVELS = 4
HIDDEN = 64


class MaskVae(nn.Module):
    """A VAE of binary masks in a fixed frame, without normalisation: how large a mask is must not be lost."""

    def __init__(self, edge: int, *, latent: int = 32, width: int = 8, spatial_dims: int = 3) -> None:
        """Build it for frames of this edge, a multiple of 16."""
        super().__init__()
        self.vae = VarAutoEncoder(
            spatial_dims=spatial_dims,
            in_shape=(1, *[edge] * spatial_dims),
            out_channels=1,
            latent_size=latent,
            channels=tuple(width * 2**level for level in range(LEVELS)),
            strides=(2,) * LEVELS,
            norm=None,  # type: ignore[arg-type]  # MONAI takes it
            act="LEAKYRELU",
            use_sigmoid=False,
        )

    def forward(self, mask: Tensor, noise: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Encode, draw and decode.

        :param mask: (B, 1, *S) in [0, 1].
        :param noise: (B, latent) from N(0, 1).
        :returns: logits (B, 1, *S); mean and log-variance (B, latent).
        """
        found = self._found(mask)
        mean, log_variance = self.vae.mu(found).float(), self.vae.logvar(found).float()
        logits = self.vae.decode_forward(mean + noise * (0.5 * log_variance).exp(), use_sigmoid=False)
        return logits.float(), mean, log_variance

    def place(self, mask: Tensor) -> Tensor:
        """Where a mask lies in shape space, (B, latent)."""
        there: Tensor = self.vae.mu(self._found(mask)).float()
        return there

    def _found(self, mask: Tensor) -> Tensor:
        # not MONAI's encode_forward: its view() knows no channels-last tensors
        found: Tensor = self.vae.intermediate(self.vae.encode(mask)).flatten(1)
        return found

    def shape_at(self, place: Tensor) -> Tensor:
        """The mask of a place, (B, 1, *S) in [0, 1]."""
        logits: Tensor = self.vae.decode_forward(place, use_sigmoid=False)
        return logits.float().sigmoid()


class ShapeJudge(nn.Module):
    """Says of places in shape space whether masks of the auxiliary kind lie there."""

    def __init__(self, latent: int = 32) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(latent, HIDDEN),
            nn.LeakyReLU(0.2),
            nn.Linear(HIDDEN, HIDDEN),
            nn.LeakyReLU(0.2),
            nn.Linear(HIDDEN, 1),
        )

    def forward(self, place: Tensor) -> Tensor:
        """One unbounded number each, (B, 1)."""
        said: Tensor = self.layers(place).float()
        return said


def vae_loss(logits: Tensor, mean: Tensor, log_variance: Tensor, mask: Tensor, beta: float) -> Tensor:
    """``BCE + Dice + beta KL``, each a mean over rows; BCE per voxel, KL per dimension of shape space.

    :param logits: (B, 1, *S); mask likewise, in [0, 1].
    :param mean: (B, latent); log_variance likewise.
    """
    dims = tuple(range(1, mask.ndim))
    entropy = nn.functional.binary_cross_entropy_with_logits(logits, mask, reduction="none").mean(dims)
    probability = logits.sigmoid()
    dice = 1 - (2 * (probability * mask).sum(dims) + 1) / ((probability + mask).sum(dims) + 1)
    divergence = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).mean(1)
    return torch.stack([entropy, dice, beta * divergence]).sum(0).mean()
