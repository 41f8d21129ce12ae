"""The generator of recipe ``shape``: image to mask or mask to image, its channels calibrated by a discriminator."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pseudonormal.monai_parts import Convolution

BLOCKS = 3
HIDDEN = 32
DIVISOR = 4  # edges of what is translated are multiples of it


class TranslatorNetwork(nn.Module):
    """ResNet generator (Johnson 2016, as in CycleGAN) with calibration of its residual stages (DGCC).

    Stage l gets ``h * (1 + c - mean(c))`` with ``c = sigmoid(W2 relu(W1 [f; mean(h)]))``: f is what the discriminator
    said of a first answer, so that the second one can use its channels otherwise. Without f nothing is calibrated.
    """

    def __init__(self, in_channels: int, *, width: int, feedback: int = 0, spatial_dims: int = 3) -> None:
        """Build it.

        :param width: channels at full resolution; twice and four times that below.
        :param feedback: length of f; 0: there is none.
        """
        super().__init__()
        self._dims = tuple(range(2, 2 + spatial_dims))

        def layer(i: int, o: int, kernel: int, stride: int = 1) -> nn.Module:
            return Convolution(spatial_dims, i, o, strides=stride, kernel_size=kernel, norm="INSTANCE", act="LEAKYRELU")

        deep = 4 * width
        self.stem = nn.Sequential(
            layer(in_channels, width, 5), layer(width, 2 * width, 3, 2), layer(2 * width, deep, 3, 2)
        )
        self.stages = nn.ModuleList(
            nn.Sequential(
                layer(deep, deep, 3),
                Convolution(spatial_dims, deep, deep, kernel_size=3, norm="INSTANCE", act=None),
            )
            for _ in range(BLOCKS)
        )
        self.calibrations = nn.ModuleList(
            nn.Sequential(nn.Linear(feedback + deep, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, deep), nn.Sigmoid())
            for _ in range(BLOCKS if feedback else 0)
        )
        # resized and convolved: transposed convolutions leave a chequerboard
        self.rise = nn.Sequential(
            nn.Upsample(scale_factor=2),
            layer(deep, 2 * width, 3),
            nn.Upsample(scale_factor=2),
            layer(2 * width, width, 3),
            Convolution(spatial_dims, width, 1, kernel_size=3, conv_only=True),
        )

    def forward(self, picture: Tensor, feedback: Tensor | None = None) -> Tensor:
        """Translate a batch at once; see :meth:`encode` and :meth:`decode` for two answers from one look.

        :param picture: (B, C, *S), edges multiples of 4.
        :param feedback: (B, F).
        :returns: (B, 1, *S) float32, unbounded.
        """
        return self.decode(self.encode(picture), feedback)

    def encode(self, picture: Tensor) -> Tensor:
        """What both answers begin with, (B, 4 width, *s)."""
        found: Tensor = self.stem(picture)
        return found

    def decode(self, encoded: Tensor, feedback: Tensor | None = None) -> Tensor:
        """An answer, (B, 1, *S), with or without the discriminator's word on the one before."""
        h = encoded
        for number, stage in enumerate(self.stages):
            if feedback is not None and len(self.calibrations):
                said = self.calibrations[number](torch.cat([feedback, h.mean(self._dims)], 1))
                scale = 1 + said - said.mean(1, keepdim=True)
                h = h * scale.view(*scale.shape, *[1] * len(self._dims))
            h = h + stage(h)
        answer: Tensor = self.rise(h).float()
        return answer
