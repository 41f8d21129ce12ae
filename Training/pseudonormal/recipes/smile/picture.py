"""One scan before and after, as a picture that shows how a training is doing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import nn

from pseudonormal.recipes.example_picture import DRAWN, FOUND, TEXT, dark_panels, outline, write_figure
from pseudonormal.recipes.smile.predicting import probability, pseudo_normal
from pseudonormal.training.references import Reference

SHOWN = 40  # slices around the one with most lesion that a 2D network looks at, so that a picture takes a second
MOST_FOUND = 0.5  # share of the brain; of more there is nothing to restore it from


def write_example(path: Path, networks: Mapping[str, nn.Module], scan: Reference, dimensions: int) -> None:
    """Write scan, pseudo-normal and difference of the axial slice with most lesion, with both outlines.

    The pseudo-normal is made within what the segmentor finds, as it would be for a scan without a mask.

    :param path: a PNG; replaced as a whole.
    :param scan: with drawn lesions.
    """
    assert scan.lesion is not None
    middle = int(scan.lesion.sum(axis=(1, 2)).argmax())
    brain = scan.brain.copy()
    if dimensions == 2:
        brain[: max(0, middle - SHOWN // 2)] = False
        brain[middle + SHOWN // 2 :] = False
    found = probability(networks, scan.image, scan.brain if dimensions == 3 else brain, dimensions=dimensions) >= 0.5
    replaced = found.copy()
    if dimensions == 2:  # one slice is shown
        replaced[:middle], replaced[middle + 1 :] = False, False
    if replaced.sum() > MOST_FOUND * scan.brain.sum():
        replaced[:] = False
    normal = pseudo_normal(networks, scan.image, replaced, scan.brain, dimensions=dimensions)
    before, after = scan.image[middle], normal[middle]

    figure, (panels,) = dark_panels(1, 3, width=10.5, height=3.9)
    for axes, image, title in zip(panels[:2], (before, after), ("scan", "pseudo-normal"), strict=True):
        axes.imshow(image, cmap="gray", vmin=0, vmax=1.1, origin="lower")
        axes.set_title(title, color=TEXT, fontsize=10)
    panels[2].imshow(before - after, cmap="RdBu_r", vmin=-0.5, vmax=0.5, origin="lower")
    panels[2].set_title("difference", color=TEXT, fontsize=10)
    for axes in (panels[0], panels[2]):
        outline(axes, scan.lesion[middle], DRAWN)
        outline(axes, found[middle], FOUND)
    figure.text(0.01, 0.01, scan.case, color=TEXT, fontsize=8)
    figure.text(0.40, 0.01, "drawn", color=DRAWN, fontsize=9)
    figure.text(0.46, 0.01, "found", color=FOUND, fontsize=9)
    write_figure(figure, path)
