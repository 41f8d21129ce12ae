"""The networks of recipe ``shape``."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from pseudonormal.networks.mask_vae import MaskVae, ShapeJudge
from pseudonormal.networks.patch_discriminator import DiscriminatorNetwork
from pseudonormal.networks.translator import TranslatorNetwork
from pseudonormal.recipes.shape.options import ShapeOptions

Networks = Mapping[str, nn.Module]


def shape_networks(options: ShapeOptions) -> dict[str, nn.Module]:
    """Fresh networks: "segment" (image to mask), "paint" (mask to image), "shapes" (VAE), and a judge of either.

    The judge of masks is an MLP in shape space, or a PatchGAN where that is asked for; shape space is not learnt then.
    """
    dimensions, width = options.dimensions, options.width
    word = 1 if options.patch_judge else options.latent + 1
    networks: dict[str, nn.Module] = {
        "segment": TranslatorNetwork(
            1, width=width, feedback=0 if options.no_calibration else word, spatial_dims=dimensions
        ),
        "paint": TranslatorNetwork(2, width=width, spatial_dims=dimensions),
        "judge_images": DiscriminatorNetwork(dimensions, channels=2 * width),
    }
    if options.patch_judge:
        return networks | {"judge_masks": DiscriminatorNetwork(dimensions, channels=2 * width)}
    return networks | {
        "shapes": MaskVae(options.edge, latent=options.latent, spatial_dims=dimensions),
        "judge_masks": ShapeJudge(options.latent),
    }


def judged(networks: Networks, mask: Tensor) -> tuple[Tensor, Tensor]:
    """What the judge of masks says: its numbers, and the word that calibrates the generator, (B, F)."""
    judge = networks["judge_masks"]
    if "shapes" not in networks:
        said = judge(mask)
        return said, said.flatten(1).mean(1, keepdim=True)
    place = networks["shapes"].place(mask)  # type: ignore[operator]  # a MaskVae
    said = judge(place)
    return said, torch.cat([place, said], 1)


def segmented(networks: Networks, picture: Tensor, *, learn_first: bool = False) -> tuple[Tensor, Tensor]:
    """Logits of the first answer, and of the one after the judge's word on it (the same where nothing is calibrated).

    :param picture: (B, 1, *S).
    :param learn_first: let gradients into the first answer too.
    :returns: (B, 1, *S) each.
    """
    segment = networks["segment"]
    assert isinstance(segment, TranslatorNetwork)
    encoded = segment.encode(picture)
    if not len(segment.calibrations):
        only = segment.decode(encoded)
        return only, only
    with torch.set_grad_enabled(learn_first and torch.is_grad_enabled()):
        first = segment.decode(encoded)
    with torch.no_grad():
        _, word = judged(networks, (first > 0).to(first.dtype))
    return first, segment.decode(encoded, word)


def painted(networks: Networks, mask: Tensor, noise: Tensor) -> Tensor:
    """A picture of a mask, (B, 1, *S) in (-1, 1); other noise gives another one."""
    picture: Tensor = networks["paint"](torch.cat([mask, noise], 1)).tanh()
    return picture
