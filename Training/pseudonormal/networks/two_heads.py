"""The generator with one trunk and two heads: an image, and where the lesion is in it."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

DOWNS = 3
BLOCKS = 4
GUIDE = 2  # channels: the unsupervised mask and its boundaries


class GlobalGenerator(nn.Module):
    """pix2pixHD's global generator (Wang 2018); what its answer means is for those to say that derive from it.

    Three halvings, residual blocks at an eighth of the resolution, three doublings by resizing and convolution
    (transposed convolutions leave a chequerboard), instance normalisation, reflected borders. Unlike the original,
    features of the way down are added on the way up, and the heads see the guide again: where its regions end has not
    to be learnt through the bottleneck, which takes hundreds of epochs.
    """

    def __init__(self, in_channels: int, out_channels: int, spatial_dims: int = 2, width: int = 16) -> None:
        super().__init__()
        self.convolution = {2: nn.Conv2d, 3: nn.Conv3d}[spatial_dims]
        self.normalisation = {2: nn.InstanceNorm2d, 3: nn.InstanceNorm3d}[spatial_dims]
        widths = [width << level for level in range(DOWNS + 1)]
        widest = {2: 7, 3: 3}[spatial_dims]  # a cube of 7 has 343 weights for each map: too many to take steps with
        self.first = nn.Sequential(*self._layer(in_channels, width, widest))
        pairs = list(pairwise(widths))
        self.down = nn.ModuleList(nn.Sequential(*self._layer(wide, deep, 3, 2)) for wide, deep in pairs)
        self.middle = nn.Sequential(*(_Residual(self._block(widths[-1])) for _ in range(BLOCKS)))
        self.up = nn.ModuleList(nn.Sequential(*self._doubled(deep, wide)) for wide, deep in reversed(pairs))
        # all heads in one convolution: half the time
        self.heads = self._padded(width + in_channels, out_channels, widest)
        for module in self.modules():
            if isinstance(module, self.convolution):
                nn.init.normal_(module.weight, std=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def answer(self, guide: Tensor) -> Tensor:
        """All heads' unbounded numbers.

        :param guide: (B, in_channels, *S), S = (H, W) or (D, H, W), each a multiple of ``multiple()``.
        :returns: (B, out_channels, *S) float32.
        """
        passed = [self.first(guide)]
        for down in self.down:
            passed.append(down(passed[-1]))
        features = self.middle(passed.pop())
        for up in self.up:
            features = up(features) + passed.pop()
        found: Tensor = self.heads(torch.cat([features, guide], 1)).float()
        return found

    @staticmethod
    def multiple() -> int:
        """What edges must be divisible by; twice that at least, for the coarsest level's normalisation."""
        return int(2**DOWNS)

    def _layer(self, before: int, after: int, kernel: int, stride: int = 1) -> list[nn.Module]:
        return [self._padded(before, after, kernel, stride), self.normalisation(after), nn.ReLU(inplace=True)]

    def _block(self, channels: int) -> nn.Module:
        last = self._padded(channels, channels, 3)
        return nn.Sequential(*self._layer(channels, channels, 3), last, self.normalisation(channels))

    def _doubled(self, before: int, after: int) -> list[nn.Module]:
        return [nn.Upsample(scale_factor=2, mode="nearest"), *self._layer(before, after, 3)]

    def _padded(self, before: int, after: int, kernel: int, stride: int = 1) -> nn.Module:
        return self.convolution(before, after, kernel, stride, kernel // 2, padding_mode="reflect")


class TwoHeadGenerator(GlobalGenerator):
    """An image, and where the lesion is in it: two heads that share the generator's last features (Xing 2023).

    The image is the guide's first channel plus a correction instead of a hyperbolic tangent: how bright superpixels are
    need not be learnt.
    """

    def __init__(self, spatial_dims: int = 2, width: int = 16) -> None:
        super().__init__(GUIDE, 2, spatial_dims, width)

    def forward(self, guide: Tensor) -> tuple[Tensor, Tensor]:
        """Make images and outlines.

        :param guide: (B, 2, *S) in [-1, 1], see :meth:`answer`.
        :returns: (B, 1, *S) image, [-1, 1] is black to white; (B, 1, *S) logits of the lesion.
        """
        correction, lesion = self.answer(guide).split(1, 1)
        return guide[:, :1].float() + correction, lesion


class _Residual(nn.Module):
    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, features: Tensor) -> Tensor:
        answer: Tensor = features + self.inner(features)
        return answer
