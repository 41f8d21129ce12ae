"""The U-Net that the default model's networks and the lesion painter are made of."""

from __future__ import annotations

from collections.abc import Sequence

from pseudonormal.monai_parts import UNet

LEVELS = 5  # of the deepest network in use


def unet(
    in_channels: int,
    out_channels: int,
    channels: Sequence[int] = (16, 32, 64, 128),
    *,
    spatial_dims: int = 3,
    dropout: float = 0.0,
) -> UNet:
    """A residual U-Net whose first layer already halves the resolution.

    Most of the work then happens at half resolution, which is what makes a 1 mm head affordable on two processor
    cores: a fifth of the time of a U-Net of equal width that starts at full resolution.

    :param channels: maps per level; every level halves each axis, so inputs (B, C, D, H, W) must be multiples of
        ``2**(levels - 1)``, and larger than that along one axis at least.
    :param dropout: share of the maps' values that is left out while it learns.
    """
    return UNet(
        spatial_dims=spatial_dims,
        in_channels=in_channels,
        out_channels=out_channels,
        channels=tuple(channels),
        strides=(2,) * (len(channels) - 1),
        num_res_units=2,
        norm="INSTANCE",
        dropout=dropout,
    )


def whole_edge(voxels: int) -> int:
    """The least edge, in voxels, of a patch that holds so many and that every network can take.

    A multiple of what all levels together divide by; twice that at least, for one voxel on the coarsest level is too
    few for its normalisation.
    """
    multiple = 2 ** (LEVELS - 1)
    return max(2 * multiple, -(-voxels // multiple) * multiple)
