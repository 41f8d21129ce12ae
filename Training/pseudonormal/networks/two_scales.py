"""The discriminator that looks at an image with what it was made from, at two scales."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from pseudonormal.monai_parts import PatchDiscriminator

SCALES = 2


class TwoScaleDiscriminator(nn.Module):
    """Two PatchGANs of one kind, the second on the picture at half its size (Wang 2018); or another number of them.

    MONAI's ``MultiScalePatchDiscriminator`` has deeper networks instead of smaller pictures.
    """

    def __init__(
        self, in_channels: int, spatial_dims: int = 2, width: int = 24, layers: int = 3, scales: int = SCALES
    ) -> None:
        super().__init__()
        self.pool = {2: functional.avg_pool2d, 3: functional.avg_pool3d}[spatial_dims]
        self.scales = nn.ModuleList(
            PatchDiscriminator(
                spatial_dims=spatial_dims, channels=width, in_channels=in_channels, num_layers_d=layers, norm="INSTANCE"
            )
            for _ in range(scales)
        )

    def forward(self, seen: Tensor) -> list[Tensor]:
        """One logit for each patch, at each scale.

        :param seen: (B, C, *S).
        :returns: (B, 1, *s) for each scale, the finest first; unbounded.
        """
        return [layers[-1] for layers in self.layers(seen)]

    def layers(self, seen: Tensor) -> list[list[Tensor]]:
        """What each layer sees, at each scale; the last one's are the logits of :meth:`forward`."""
        found = []
        for judge in self.scales:
            found.append([layer.float() for layer in judge(seen)])
            seen = self.pool(seen, 3, stride=2, padding=1, count_include_pad=False)
        return found
