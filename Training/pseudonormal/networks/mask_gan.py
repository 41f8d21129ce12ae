"""A generator of lesion masks and its critic (Wasserstein GAN; Platscher 2022)."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn

from pseudonormal.monai_parts import Convolution

LATENT = 128
ABOUT = 2  # what a mask can be asked to be like: how large it is, on which side it lies
START = 6  # edge, about, of what the generator begins with
WIDEST = 128
CRITIC_WIDTH = 8
CRITIC_END = 4  # edge at which the critic's convolutions end
HIDDEN = 512
LOUD = 8.0  # what is asked counts as much as the random vector, of which there are 64 times as many numbers
LAST_KERNEL = {2: 7, 3: 3}  # 7 in 3D takes longer than all the rest


class MaskGenerator(nn.Module):
    """From a random vector, and what is asked of the mask, to a mask in a cubic frame.

    A dense layer, then convolution, instance normalisation, doubling, again and again; half as many maps each time.
    Instance normalisation would wipe out what is the same all over the frame, so the vector scales and shifts the maps
    of every level after it.
    """

    def __init__(self, edge: int, *, spatial_dims: int = 3, width: int = 8) -> None:
        """Build it for frames of this edge, a multiple of 8; ``width`` maps at the finest level."""
        super().__init__()
        doublings = max(1, round(math.log2(edge / START)))
        self.start = (edge >> doublings,) * spatial_dims
        maps = [min(WIDEST, width << (doublings - level)) for level in range(doublings + 1)]
        self.dense = nn.Linear(LATENT + ABOUT, maps[0] * math.prod(self.start))
        self.levels = nn.ModuleList(_Level(before, after, spatial_dims) for before, after in pairwise(maps))
        self.last = Convolution(spatial_dims, maps[-1], 1, kernel_size=LAST_KERNEL[spatial_dims], conv_only=True)

    def forward(self, latent: Tensor, about: Tensor) -> Tensor:
        """Draw masks.

        :param latent: (B, 1, 128) from N(0, 1).
        :param about: (B, 1, 2), see :mod:`pseudonormal.recipes.mask_gan.frame`; zeros where nothing is asked.
        :returns: (B, 1, *S) in (-1, 1), above 0 in the lesion.
        """
        code = torch.cat([latent, LOUD * about], 2).flatten(1)
        features = self.dense(code).view(len(code), -1, *self.start)
        for level in self.levels:
            features = level(features, code)
        answer: Tensor = torch.tanh(self.last(features).float())
        return answer


class _Level(nn.Module):
    def __init__(self, before: int, after: int, spatial_dims: int) -> None:
        super().__init__()
        self.convolution = Convolution(spatial_dims, before, after, kernel_size=3, conv_only=True)
        self.normalisation = {2: nn.InstanceNorm2d, 3: nn.InstanceNorm3d}[spatial_dims](after)
        self.style = nn.Linear(LATENT + ABOUT, 2 * after)
        self.upsample = nn.Upsample(scale_factor=2, mode="nearest")

    def forward(self, features: Tensor, code: Tensor) -> Tensor:
        normal = self.normalisation(self.convolution(features))
        scale, shift = self.style(code).view(*normal.shape[:1], -1, *[1] * (normal.ndim - 2)).chunk(2, 1)
        return nn.functional.leaky_relu(self.upsample(normal * (1 + scale) + shift), 0.2)


class MaskCritic(nn.Module):
    """How real a mask is, one unbounded number; without normalisation, which the gradient penalty forbids."""

    def __init__(self, edge: int, *, spatial_dims: int = 3) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before, after, left = 1 + ABOUT, CRITIC_WIDTH, edge
        while left > CRITIC_END:
            layers += [Convolution(spatial_dims, before, after, strides=2, kernel_size=5, conv_only=True)]
            layers += [nn.LeakyReLU(0.2)]
            before, after, left = after, min(WIDEST, 2 * after), -(-left // 2)
        self.layers = nn.Sequential(
            *layers,
            nn.Flatten(),
            nn.Linear(before * left**spatial_dims, HIDDEN),
            nn.LeakyReLU(0.2),
            nn.Linear(HIDDEN, 1),
        )

    def forward(self, mask: Tensor, about: Tensor) -> Tensor:
        """Judge masks together with what was asked of them.

        :param mask: (B, 1, *S) in [-1, 1].
        :param about: (B, 1, 2).
        :returns: (B, 1).
        """
        asked = about.view(len(about), ABOUT, *[1] * (mask.ndim - 2)).expand(-1, -1, *mask.shape[2:])
        answer: Tensor = self.layers(torch.cat([mask, asked.to(mask.dtype)], 1)).float()
        return answer
