"""What pictures of a training's check have in common: dark panels, outlines, a PNG that is replaced as a whole."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from pseudonormal.scan.atomic import atomic_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FOUND, DRAWN = "#ff9f1c", "#2ec4b6"
TEXT = "white"
DPI = 90


def dark_panels(rows: int, columns: int, *, width: float, height: float) -> tuple[Figure, NDArray[Any]]:
    """A black figure and its panels, (rows, columns) matplotlib axes without ticks.

    :param width: inches; height likewise.
    """
    from matplotlib.figure import Figure  # not above: who only asks what recipes there are needs no plots

    figure = Figure(figsize=(width, height), facecolor="black", layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False)
    for axes in panels.flat:
        axes.set_axis_off()
    return figure, panels


def outline(axes: Axes, mask: NDArray[Any], colour: str) -> None:
    """A mask's border on a picture, (H, W) bool."""
    if mask.any():
        axes.contour(mask, levels=[0.5], colors=colour, linewidths=1.0)


def write_figure(figure: Figure, path: Path) -> None:
    """Save it as a PNG.

    :raises InputError: the folder cannot be written.
    """
    with atomic_file(path) as stream:
        figure.savefig(stream, dpi=DPI, format="png")
