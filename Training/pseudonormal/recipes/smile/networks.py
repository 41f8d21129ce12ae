"""The four networks of recipe ``smile``; in 3D the first two are those of the shipped model."""

from __future__ import annotations

from torch import nn

from pseudonormal.networks.painter import PainterNetwork
from pseudonormal.networks.patch_discriminator import DiscriminatorNetwork
from pseudonormal.networks.restorer import RestorerNetwork
from pseudonormal.recipes.lesion import lesion_network
from pseudonormal.recipes.smile.options import SmileOptions


def smile_networks(options: SmileOptions) -> dict[str, nn.Module]:
    """Fresh networks: "lesion" (S), "restore" (G) and, unless left out, "painter" (L) and "discriminator" (D)."""
    dimensions = options.dimensions
    networks: dict[str, nn.Module] = {
        "lesion": lesion_network(dimensions),
        "restore": RestorerNetwork(dimensions),
    }
    if not options.no_painter:
        networks["painter"] = PainterNetwork(dimensions)
    if not options.no_adversary:
        networks["discriminator"] = DiscriminatorNetwork(dimensions)
    return networks
