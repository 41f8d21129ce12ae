"""From a label map to an image: pix2pix's U-Net and pix2pixHD's global generator. SPADE's decoder: see ``spade``.

Their images are a grey of each label's own plus a correction, instead of a hyperbolic tangent: where labels end and how
bright they are about is learnt in some hundred steps then, not in some hundred epochs.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pseudonormal.networks.labels import CHANNELS, LabelEmbedding
from pseudonormal.networks.two_heads import GlobalGenerator
from pseudonormal.networks.unet import unet

LATENT = 32  # numbers that make one image of a map differ from another; those that are not asked for them ignore them
DROPOUT = 0.3
LEVELS = 5
STILL = 0.01  # standard deviation of the first weights of what shall say little at first


def grey(embedded: Tensor) -> Tensor:
    """The grey of each voxel's label: the first of its vector's numbers, (B, 1, *S)."""
    return embedded[:, :1].float()


class UnetTranslator(nn.Module):
    """pix2pix (Isola 2017): a U-Net with dropout, which is the only noise that it has, and only while it learns."""

    def __init__(self, labels: int, spatial_dims: int = 2, width: int = 16) -> None:
        super().__init__()
        self.embedding = LabelEmbedding(labels)
        maps = tuple(min(width << level, 8 * width) for level in range(LEVELS))
        self.trunk = unet(CHANNELS, width, maps, spatial_dims=spatial_dims, dropout=DROPOUT)
        self.last = {2: nn.Conv2d, 3: nn.Conv3d}[spatial_dims](width + CHANNELS, 1, kernel_size=3, padding=1)
        nn.init.normal_(self.last.weight, std=STILL)

    def forward(self, labels: Tensor, latent: Tensor) -> Tensor:
        """Make images.

        :param labels: (B, 1, *S) whole numbers, edges multiples of 16.
        :param latent: (B, 1, LATENT), not looked at.
        :returns: (B, 1, *S), [-1, 1] is black to white, float32.
        """
        seen = self.embedding(labels)
        correction: Tensor = self.last(torch.cat([self.trunk(seen), seen], 1)).float()
        return grey(seen) + correction


class GlobalTranslator(GlobalGenerator):
    """pix2pixHD's generator (Wang 2018) on a label map; CycleGAN's (Zhu 2017) is of this kind too."""

    def __init__(self, labels: int, spatial_dims: int = 2, width: int = 16) -> None:
        super().__init__(CHANNELS, 1, spatial_dims, width)
        nn.init.normal_(self.heads.weight, std=STILL)  # type: ignore[arg-type]  # a convolution
        self.embedding = LabelEmbedding(labels)

    def forward(self, labels: Tensor, latent: Tensor) -> Tensor:
        """Make images; see :meth:`UnetTranslator.forward`, edges multiples of 8."""
        return self._image(self.embedding(labels))

    def from_shares(self, shares: Tensor) -> Tensor:
        """Make images from maps that are not sure.

        :param shares: (B, labels, *S), adding up to 1.
        """
        return self._image(self.embedding.mixed(shares))

    def _image(self, seen: Tensor) -> Tensor:
        return grey(seen) + self.answer(seen)


class Labeller(GlobalGenerator):
    """The way back: from an image to what each voxel may be."""

    def __init__(self, labels: int, spatial_dims: int = 2, width: int = 16) -> None:
        super().__init__(1, labels, spatial_dims, width)

    def forward(self, image: Tensor) -> Tensor:
        """(B, 1, *S) in [-1, 1] to logits (B, labels, *S)."""
        return self.answer(image)
