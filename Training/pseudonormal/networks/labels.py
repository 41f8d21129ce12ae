"""Label maps as networks take them: each label a vector that is learnt, looked up voxel by voxel."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pseudonormal.networks.two_scales import TwoScaleDiscriminator

CHANNELS = 12


class LabelEmbedding(nn.Module):
    """A vector for each label: a 1x1 convolution of the one-hot map, which is never made.

    Thirty labels of a head at 1 mm would take a gigabyte as one-hot channels.
    """

    def __init__(self, labels: int, channels: int = CHANNELS) -> None:
        super().__init__()
        self.table = nn.Embedding(labels, channels)
        with torch.no_grad():
            self.table.weight[:, 0] = 0  # translators take it for the label's grey, and begin with the same for all

    def begin_with(self, greys: Tensor) -> None:
        """Set the labels' greys: rare labels would be grey for long after the others are right.

        :param greys: (labels,).
        """
        with torch.no_grad():
            self.table.weight[:, 0] = greys

    def forward(self, labels: Tensor) -> Tensor:
        """Look up.

        :param labels: (B, 1, *S) whole numbers from 0.
        :returns: (B, channels, *S).
        """
        found: Tensor = self.table(labels[:, 0].long())
        return found.movedim(-1, 1)

    def mixed(self, shares: Tensor) -> Tensor:
        """The mean of the labels' vectors where a map is not sure.

        :param shares: (B, labels, *S), adding up to 1.
        :returns: (B, channels, *S).
        """
        return torch.einsum("bk...,kc->bc...", shares, self.table.weight)


class LabelledDiscriminator(nn.Module):
    """PatchGANs that look at an image together with the label map that it is to show."""

    def __init__(self, labels: int, spatial_dims: int, width: int, scales: int) -> None:
        super().__init__()
        self.embedding = LabelEmbedding(labels)
        self.patches = TwoScaleDiscriminator(1 + CHANNELS, spatial_dims, width, layers=2, scales=scales)

    def forward(self, image: Tensor, labels: Tensor) -> list[Tensor]:
        """One logit for each patch, at each scale; see :class:`TwoScaleDiscriminator`.

        :param image: (B, 1, *S) in [-1, 1]; labels: (B, 1, *S).
        """
        return [layers[-1] for layers in self.layers(image, labels)]

    def layers(self, image: Tensor, labels: Tensor) -> list[list[Tensor]]:
        """What each layer sees, at each scale; see :meth:`TwoScaleDiscriminator.layers`."""
        return self.patches.layers(torch.cat([image, self.embedding(labels)], 1))
