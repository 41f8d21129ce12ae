"""How a training of masks is doing: a picture, and how far sizes are from those of real masks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import nn

from pseudonormal.recipes.example_picture import TEXT, dark_panels, write_figure
from pseudonormal.recipes.mask_gan.describing import LESION, describe
from pseudonormal.recipes.mask_gan.drawing import MaskGan
from pseudonormal.recipes.mask_gan.frame import about
from pseudonormal.recipes.mask_gan.material import MaskGanMaterial
from pseudonormal.recipes.mask_gan.options import MaskGanOptions

DRAWN = 64
SHOWN = 10
SEED = 8


def check(generator: nn.Module, material: MaskGanMaterial, options: MaskGanOptions, run: Path) -> dict[str, float]:
    """Draw masks as large as real ones, and write ``run/example.png``.

    :returns: "size_ks", "elongation_ks": Kolmogorov and Smirnov's distance to the real ones, 0 to 1; "empty": share of
        masks in which nothing is drawn.
    """
    from scipy.stats import ks_2samp  # not above, as plots below

    rng = np.random.default_rng(SEED)
    chosen = [material.masks[int(place)] for place in rng.integers(len(material.masks), size=DRAWN)]
    drawn = MaskGan(generator, options).masks(np.stack([about(mask) for mask in chosen]), rng)
    write_masks(run / "example.png", chosen[:SHOWN], list(drawn[:SHOWN]))
    real, made = ([one for mask in masks if (one := describe(mask)) is not None] for masks in (chosen, drawn))
    found = {"empty": 1 - len(made) / len(drawn)}
    if real and made:
        for name in ("size", "elongation"):
            pair = [[getattr(one, name) for one in some] for some in (real, made)]
            found[f"{name}_ks"] = float(ks_2samp(*pair).statistic)
    return found


def write_masks(path: Path, real: list[NDArray[np.float32]], drawn: list[NDArray[np.float32]]) -> None:
    """Real masks above drawn ones, each seen from above: how much of the way through the frame is lesion.

    :param path: a PNG; replaced as a whole.
    """
    count = max(len(real), len(drawn))
    figure, panels = dark_panels(2, count, width=1.1 * count, height=2.6)
    for row, masks, name in zip(panels, (real, drawn), ("real", "drawn"), strict=True):
        for axes, mask in zip(row, masks, strict=False):
            seen = (mask > LESION).astype(float)
            axes.imshow(seen if mask.ndim == 2 else seen.mean(0), cmap="magma", vmin=0, origin="lower")
        row[0].set_title(name, color=TEXT, fontsize=9, loc="left")
    write_figure(figure, path)
