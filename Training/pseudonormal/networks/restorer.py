"""The restorer: blends and corrects classical fills, with or without a look at the lesion."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pseudonormal.networks.unet import unet

FEATURES = 8
CHANNELS = (24, 48, 96, 128, 160)
MOST_DETAIL = 2.0
NEVER = -30.0  # logit of a fill that is not available


@dataclass(frozen=True)
class Restored:
    """What the network says of a patch, in the patch's standardised intensities.

    :param normal: (B, 1, *S) the restored image (meaningful inside the lesion only), S = (D, H, W) or (H, W).
    :param log_error: (B, 1, *S) logarithm of the expected absolute error.
    """

    normal: Tensor
    log_error: Tensor


class RestorerNetwork(nn.Module):
    """``normal = blend(fills) + correction + detail * seen``, all from one U-Net.

    The fills are the biharmonic one (best in small lesions), a smooth one (normalised convolution, better in large
    ones) and the mirrored other hemisphere; the network weighs them voxel by voxel. ``seen`` is what the lesion shows
    beyond the biharmonic fill (zero in mode "void"). A lesion that lets its tissue through is undone by detail near 1
    and a smooth correction, an opaque one by detail 0, so fine structure never has to pass through the network. The
    last layer starts at zero: an untrained network is a mean of classical fills, and training can only move away from
    it where that pays.
    """

    INPUTS = ("fill", "smooth", "mirror", "mirrored", "lesion", "seen", "guided")

    def __init__(self, spatial_dims: int = 3) -> None:
        super().__init__()
        self.trunk = unet(len(self.INPUTS), FEATURES, CHANNELS, spatial_dims=spatial_dims)
        convolution = {2: nn.Conv2d, 3: nn.Conv3d}[spatial_dims]
        self.head = convolution(FEATURES + len(self.INPUTS), 5, kernel_size=1)
        nn.init.zeros_(self.head.weight)
        with torch.no_grad():
            assert self.head.bias is not None
            self.head.bias.copy_(torch.tensor([0.0, 0.0, -1.5, 0.0, -2.0]))

    def forward(
        self, fill: Tensor, smooth: Tensor, mirror: Tensor, mirrored: Tensor, lesion: Tensor, seen: Tensor
    ) -> Restored:
        """Restore a batch of patches; all inputs (B, 1, *S), standardised by the patch's normal tissue.

        :param fill: the image with its lesion filled (biharmonic).
        :param smooth: difference of the smooth fill to ``fill``.
        :param mirror: difference of the other hemisphere to ``fill``, where known, else 0.
        :param mirrored: 1 where the other hemisphere is known.
        :param lesion: 1 inside.
        :param seen: image - fill inside the lesion, or zero ("void").
        """
        guided = (seen != 0).flatten(1).any(1).to(fill.dtype).view(-1, *[1] * (fill.ndim - 1)).expand_as(fill)
        inputs = torch.cat([fill, smooth, mirror, mirrored, lesion, seen, guided], 1)
        outputs = self.head(torch.cat([self.trunk(inputs), inputs], 1)).float()
        correction, detail, log_error, for_smooth, for_mirror = outputs.split(1, 1)
        for_mirror = for_mirror.masked_fill(mirrored < 0.5, NEVER)
        shares = torch.softmax(torch.cat([torch.zeros_like(for_smooth), for_smooth, for_mirror], 1), 1)
        base = fill.float() + shares[:, 1:2] * smooth.float() + shares[:, 2:3] * mirror.float()
        detail = MOST_DETAIL * torch.tanh(detail / MOST_DETAIL)
        return Restored(base + correction + detail * seen.float(), log_error.clamp(-6.0, 3.0))
