"""The networks of recipe ``translation``."""

from __future__ import annotations

from torch import nn

from pseudonormal.networks.labels import LabelledDiscriminator
from pseudonormal.networks.spade import SpadeTranslator
from pseudonormal.networks.translators import GlobalTranslator, Labeller, UnetTranslator
from pseudonormal.networks.two_scales import TwoScaleDiscriminator
from pseudonormal.networks.unet import unet
from pseudonormal.recipes.translation.maps import label_count
from pseudonormal.recipes.translation.options import TranslationOptions

TRANSLATOR, LABELLER, JUDGE, MAP_JUDGE, FINDER = "translator", "labeller", "judge", "map_judge", "finder"
FINDER_MAPS = (8, 16, 32, 64)
KINDS = {
    "pix2pix": UnetTranslator,
    "spade": SpadeTranslator,
    "pix2pixhd": GlobalTranslator,
    "cyclegan": GlobalTranslator,
}
SCALES = {"pix2pix": 1, "spade": 1, "pix2pixhd": 2, "cyclegan": 1}


def translator_network(options: TranslationOptions) -> nn.Module:
    """A fresh translator: ``forward(labels, latent) -> image``."""
    return KINDS[options.translator](label_count(options), options.dimensions, options.width)


def translation_networks(options: TranslationOptions) -> dict[str, nn.Module]:
    """Fresh networks: "translator", "judge", and "finder", which finds lesions in scans.

    For cyclegan, the way back ("labeller") and the judge of maps instead of the finder. A judge of pairs sees the map
    beside the image; without pairs it can see images only.
    """
    labels, dimensions = label_count(options), options.dimensions
    scales = SCALES[options.translator]
    networks: dict[str, nn.Module] = {TRANSLATOR: translator_network(options)}
    if options.translator != "cyclegan":
        networks |= {JUDGE: LabelledDiscriminator(labels, dimensions, options.judge_width, scales)}
        return networks | ({FINDER: unet(1, 1, FINDER_MAPS, spatial_dims=dimensions)} if options.finds else {})
    return networks | {
        LABELLER: Labeller(labels, dimensions, options.width),
        JUDGE: TwoScaleDiscriminator(1, dimensions, options.judge_width, layers=2, scales=scales),
        MAP_JUDGE: TwoScaleDiscriminator(labels, dimensions, options.judge_width, layers=2, scales=scales),
    }
