"""The lesion painter: puts a lesion of the kind it has learnt into a normal image."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pseudonormal.networks.unet import unet

CHANNELS = (16, 32, 64, 96)
FEATURES = 8


class PainterNetwork(nn.Module):
    """``image = normal + soft * change(normal, soft, soft * noise)``; the direction "healthy to pathological" of Xia.

    Nothing changes where ``soft`` is 0. Noise comes multiplied by the soft mask: a constant over the whole picture
    would not survive the instance normalisation, a constant over the lesion does, and with it what a whole lesion has
    of its own, such as its strength. The last layer starts at zero: an untrained painter paints nothing.
    """

    def __init__(self, spatial_dims: int = 3) -> None:
        super().__init__()
        self.trunk = unet(3, FEATURES, CHANNELS, spatial_dims=spatial_dims)
        convolution = {2: nn.Conv2d, 3: nn.Conv3d}[spatial_dims]
        self.head = convolution(FEATURES + 3, 1, kernel_size=1)
        nn.init.zeros_(self.head.weight)
        assert self.head.bias is not None
        nn.init.zeros_(self.head.bias)

    def forward(self, normal: Tensor, soft: Tensor, noise: Tensor) -> Tensor:
        """Paint a batch; all (B, 1, *S), S = (D, H, W) or (H, W).

        :param normal: scaled intensities (0 to 1 is most of the brain).
        :param soft: opacity in [0, 1], 0 where nothing may change.
        :param noise: see :func:`pseudonormal.recipes.smile.painting.painter_noise`.
        :returns: scaled intensities.
        """
        inputs = torch.cat([normal, soft, soft * noise], 1)
        change = self.head(torch.cat([self.trunk(inputs), inputs], 1))
        return normal.float() + soft.float() * change.float()
