"""A small encoder of slices: what distributions of images are compared by."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

FEATURES = 32  # few, for a distribution of so many numbers must be known from some hundred slices
WIDTHS = (16, 32, 48, 64)


class SliceEncoder(nn.Module):
    """Four convolutions of stride 2 and a mean over the picture; any size from 16 x 16 on."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in pairwise((1, *WIDTHS)):
            layers += [nn.Conv2d(before, after, 3, 2, 1), nn.GroupNorm(4, after), nn.LeakyReLU(0.1)]
        self.layers = nn.Sequential(*layers, nn.Conv2d(WIDTHS[-1], FEATURES, 1))

    def forward(self, slices: Tensor) -> Tensor:
        """Pooled features.

        :param slices: (B, 1, H, W) in [-1, 1], -1 outside the organ.
        :returns: (B, 32).
        """
        pooled: Tensor = self.layers(slices).mean((2, 3))
        return pooled


class TaughtEncoder(nn.Module):
    """The encoder with the linear answers that it is taught by, which nobody needs later."""

    def __init__(self, answers: int) -> None:
        super().__init__()
        self.encoder = SliceEncoder()
        self.answers = nn.Linear(FEATURES, answers)

    def forward(self, slices: Tensor) -> Tensor:
        """(B, 1, H, W) to (B, answers)."""
        answers: Tensor = self.answers(torch.relu(self.encoder(slices)).float())
        return answers
