"""The patch discriminator, which tells normal tissue from what was put into a lesion."""

from __future__ import annotations

from torch import Tensor, nn

from pseudonormal.monai_parts import PatchDiscriminator

CHANNELS = 24
LAYERS = 2  # each logit then sees some 20 voxels: texture and seams, not anatomy


class DiscriminatorNetwork(nn.Module):
    """PatchGAN (Isola 2017) with instance normalisation; MONAI's default would mix the samples of a small batch."""

    def __init__(self, spatial_dims: int = 3, *, channels: int = CHANNELS) -> None:
        super().__init__()
        self.patches = PatchDiscriminator(
            spatial_dims=spatial_dims, channels=channels, in_channels=1, num_layers_d=LAYERS, norm="INSTANCE"
        )

    def forward(self, image: Tensor) -> Tensor:
        """One logit for each patch.

        :param image: (B, 1, *S), standardised.
        :returns: (B, 1, *s) with a quarter of each edge; unbounded, as LSGAN wants it.
        """
        logits: Tensor = self.patches(image)[-1].float()
        return logits
