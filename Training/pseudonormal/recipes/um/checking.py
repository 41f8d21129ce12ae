"""How a training is doing: scans that are kept aside, through their guide and back."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import nn

from pseudonormal.recipes.example_picture import DRAWN, FOUND, TEXT, dark_panels, outline, write_figure
from pseudonormal.recipes.um.cuts import Cuts
from pseudonormal.recipes.um.guides import drawn_masks, unsupervised_masks
from pseudonormal.recipes.um.material import UmMaterial
from pseudonormal.recipes.um.options import UmOptions
from pseudonormal.recipes.um.predicting import made_from
from pseudonormal.recipes.um.superpixels import WHITE, means
from pseudonormal.training.references import Reference

CHECKED = 4  # scans
EVERY = 3  # slices looked at, one of so many


def check(generator: nn.Module, material: UmMaterial, options: UmOptions, cuts: Cuts, run: Path) -> dict[str, float]:
    """Measure, and draw ``run/example.png``.

    :returns: "error": mean absolute difference to the scan within the foreground, scaled intensities; "dice": of the
        segmentation head at one half, mean over subjects (not where the guide is the mask itself). Empty where no scan
        is kept aside.
    """
    scans = [_thinned(scan, options) for scan in material.validation[:CHECKED]]
    shown = scans[0] if scans else material.scans[material.ill[0].scan]
    write_example(run / "example.png", generator, shown, options, cuts)
    errors, dices = [], defaultdict(list)
    for scan in scans:
        assert scan.lesion is not None
        image, probability = made_from(generator, guide_for(scan, options, cuts), scan.brain, options)
        errors.append(float(np.abs(image - np.clip(scan.image, 0, WHITE))[scan.brain].mean()))
        found, drawn = probability >= 0.5, scan.lesion & scan.brain
        total = int(found.sum()) + int(drawn.sum())
        dices[scan.subject or scan.case].append(2 * int((found & drawn).sum()) / total if total else 1.0)
    if not scans:
        return {}
    own = {} if options.guide == "mask" else {"dice": float(np.mean([np.mean(each) for each in dices.values()]))}
    return {"error": float(np.mean(errors)), **own}


def guide_for(scan: Reference, options: UmOptions, cuts: Cuts) -> NDArray[np.float32]:
    """A scan's own guide, (2, D, H, W); the control's needs its lesion."""
    if options.guide == "um":
        labels = cuts.of(scan, options)
        return unsupervised_masks(means(scan.image, labels), labels, options)
    assert scan.lesion is not None
    return drawn_masks(scan.brain, scan.lesion, options)


def write_example(path: Path, generator: nn.Module, scan: Reference, options: UmOptions, cuts: Cuts) -> None:
    """Write scan, guide and what was made of it, at the axial slice with most lesion.

    :param path: a PNG; replaced as a whole.
    :param scan: with drawn lesions.
    """
    assert scan.lesion is not None
    middle = int(scan.lesion.sum(axis=(1, 2)).argmax())
    guide = guide_for(scan, options, cuts)
    image, probability = made_from(generator, guide, scan.brain, options)
    figure, (panels,) = dark_panels(1, 3, width=10.5, height=3.9)
    pictures = (scan.image[middle] / WHITE, (guide[0, middle] + 1) / 2, image[middle] / WHITE)
    titles = ("scan", "unsupervised mask" if options.guide == "um" else "mask", "synthetic")
    for axes, picture, title in zip(panels, pictures, titles, strict=True):
        axes.imshow(picture, cmap="gray", vmin=0, vmax=1, origin="lower")
        axes.set_title(title, color=TEXT, fontsize=10)
    outline(panels[0], scan.lesion[middle], DRAWN)
    outline(panels[2], probability[middle] >= 0.5, FOUND)
    figure.text(0.01, 0.01, scan.case, color=TEXT, fontsize=8)
    figure.text(0.40, 0.01, "drawn", color=DRAWN, fontsize=9)
    figure.text(0.46, 0.01, "made with the image", color=FOUND, fontsize=9)
    write_figure(figure, path)


def _thinned(scan: Reference, options: UmOptions) -> Reference:
    """In 2D every third slice of the foreground only: a check shall take seconds."""
    if options.dimensions == 3:
        return scan
    levels = np.flatnonzero(scan.brain.any(axis=(1, 2)))[::EVERY]
    return Reference(
        f"{scan.case}, every third slice",
        scan.image[levels],
        scan.brain[levels],
        None if scan.lesion is None else scan.lesion[levels],
        scan.doubtful[levels],
        scan.contrast,
        scan.subject,
    )
