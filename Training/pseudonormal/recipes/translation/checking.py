"""How a training is doing: scans that are kept aside, from their map, with their lesions and without."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import nn

from pseudonormal.recipes.example_picture import DRAWN, TEXT, dark_panels, outline, write_figure
from pseudonormal.recipes.translation.maps import label_count, with_lesion
from pseudonormal.recipes.translation.material import Mapped, TranslationMaterial
from pseudonormal.recipes.translation.options import TranslationOptions
from pseudonormal.recipes.translation.predicting import draw_latent, translated
from pseudonormal.recipes.um.superpixels import WHITE

CHECKED = 4  # scans
EVERY = 3  # slices looked at, one of so many
SEED = 5


def check(
    translator: nn.Module, material: TranslationMaterial, options: TranslationOptions, run: Path
) -> dict[str, float]:
    """Measure, and draw ``run/example.png``.

    :returns: "error": mean absolute difference to the scan within the foreground, scaled intensities; "contrast": how
        much brighter the translator makes lesions, of how much brighter they are (1 is right); "outside": mean absolute
        change outside the lesion when it is taken out of the map. Empty where no scan is kept aside.
    """
    ill = [one for one in (*material.validation, *material.scans) if one.lesion.any()]
    write_example(run / "example.png", translator, ill[0], options)
    latent = draw_latent(np.random.default_rng(SEED))
    errors, contrasts, outside = [], [], []
    for one in material.validation[:CHECKED]:
        one = _thinned(one, options)
        image, normal = both(translator, one, options, latent)
        scan, lesion, rest = one.scan.image, one.lesion, one.scan.brain & ~one.lesion
        errors.append(float(np.abs(image - np.clip(scan, 0, WHITE))[one.scan.brain].mean()))
        if lesion.any():
            outside.append(float(np.abs(image - normal)[rest].mean()))
            seen, made = (float(of[lesion].mean() - of[rest].mean()) for of in (scan, image))
            contrasts.append(made / seen if seen else 0.0)
    found = {"error": errors, "contrast": contrasts, "outside": outside}
    return {name: float(np.mean(values)) for name, values in found.items() if values}


def both(
    translator: nn.Module, one: Mapped, options: TranslationOptions, latent: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A scan's map as an image, with its lesions and without them; (D, H, W) scaled intensities."""
    ill = translated(translator, with_lesion(one.labels, one.grades, options), latent, options)
    return ill, translated(translator, one.labels, latent, options)


def write_example(path: Path, translator: nn.Module, one: Mapped, options: TranslationOptions) -> None:
    """Write scan, map, and what was made of it with the lesion and without, at the slice with most lesion.

    :param path: a PNG; replaced as a whole.
    """
    middle = int(one.lesion.sum(axis=(1, 2)).argmax())
    shown = _levels(one, slice(middle, middle + 1)) if options.dimensions == 2 else one
    level = 0 if options.dimensions == 2 else middle
    image, normal = both(translator, shown, options, draw_latent(np.random.default_rng(SEED)))
    labels = with_lesion(shown.labels, shown.grades, options)[level]
    figure, (panels,) = dark_panels(1, 4, width=11, height=3.2)
    for axes, title in zip(panels, ("scan", "label map", "synthetic", "without the lesion"), strict=True):
        axes.set_title(title, color=TEXT, fontsize=10)
    panels[1].imshow(labels, cmap="nipy_spectral", vmin=0, vmax=label_count(options) - 1, origin="lower")
    for axes, picture in ((panels[0], shown.scan.image), (panels[2], image), (panels[3], normal)):
        axes.imshow(picture[level], cmap="gray", vmin=0, vmax=WHITE, origin="lower")
    for axes in (panels[0], panels[2]):
        outline(axes, shown.lesion[level], DRAWN)
    figure.text(0.005, 0.01, one.scan.case, color=TEXT, fontsize=8)
    write_figure(figure, path)


def _thinned(one: Mapped, options: TranslationOptions) -> Mapped:
    """In 2D every third slice only: a check shall take seconds."""
    return one if options.dimensions == 3 else _levels(one, slice(None, None, EVERY))


def _levels(one: Mapped, levels: slice) -> Mapped:
    scan = one.scan
    lesion = None if scan.lesion is None else scan.lesion[levels]
    part = type(scan)(
        scan.case, scan.image[levels], scan.brain[levels], lesion, scan.doubtful[levels], scan.contrast, scan.subject
    )
    return Mapped(part, one.labels[levels], one.lesion[levels], one.grades[levels])
