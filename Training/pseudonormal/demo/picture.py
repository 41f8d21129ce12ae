"""The demo's picture: input, truth, pseudo-normal and difference in three planes."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray

from pseudonormal.report.orientation import ClosestRas
from pseudonormal.scan.scan import Geometry

COLUMNS = ("input", "truth", "pseudo-normal", "difference")
# Axes of the (S, A, R) view: cut across, down the picture, to its right (reversed: the patient's left is at the right).
PLANES = {"axial": (0, 1, 2), "coronal": (1, 0, 2), "sagittal": (2, 0, 1)}
BACKGROUND, INK, QUIET, OUTLINE, SHAPE = "#000000", "#e8eaed", "#8b9199", "#ffc400", "#5f656d"
MARGIN = 3
WIDTH, HEADROOM = 10.0, 0.7  # inches


def demo_picture(
    image: NDArray,
    truth: NDArray,
    normal: NDArray,
    difference: NDArray[np.float32],
    lesion: NDArray[np.bool_],
    geometry: Geometry,
) -> bytes:
    """Draw a PNG; rows are planes through the lesion's middle.

    :param image: (D, H, W) the scan, its units; ``truth``, ``normal`` and ``difference`` likewise.
    :param lesion: (D, H, W) drawn as an outline on the input.
    """
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.figure import Figure

    ras = ClosestRas.of(geometry)
    volumes = [ras.apply(volume) for volume in (image, truth, normal, difference)]
    outline = ras.apply(lesion)
    brain = volumes[1] > volumes[1].min()
    box = tuple(slice(max(int(at.min()) - MARGIN, 0), int(at.max()) + MARGIN) for at in np.nonzero(brain))
    middle = [round(float(at.mean())) for at in np.nonzero(outline)]
    low, high = np.percentile(volumes[1][brain], [0.1, 99.9])
    most = float(np.percentile(np.abs(volumes[3][outline]), 99)) or 1.0
    colours = LinearSegmentedColormap.from_list("difference", ["#beebff", "#2682e6", BACKGROUND, "#e25c14", "#ffec96"])
    widths = [box[right].stop - box[right].start for _, _, right in PLANES.values()]
    heights = [box[down].stop - box[down].start for _, down, _ in PLANES.values()]
    figure = Figure(figsize=(WIDTH, HEADROOM + WIDTH / 4 * sum(heights) / max(widths)), dpi=110)
    figure.set_facecolor(BACKGROUND)
    axes = figure.subplots(3, 4, gridspec_kw={"height_ratios": heights, "wspace": 0.02, "hspace": 0.04}, squeeze=False)
    for row, (plane, (across, down, right)) in enumerate(PLANES.items()):
        for column, title in enumerate(COLUMNS):
            axis = axes[row, column]
            cut: list[slice | int] = list(box)
            cut[across] = middle[across]
            shown = volumes[column][tuple(cut)][::-1, ::-1]
            limits = (-most, most) if title == "difference" else (low, high)
            axis.imshow(
                shown,
                cmap=colours if title == "difference" else "gray",
                vmin=limits[0],
                vmax=limits[1],
                interpolation="bilinear",
                aspect=ras.spacing[down] / ras.spacing[right],
            )
            if title == "input":
                axis.contour(outline[tuple(cut)][::-1, ::-1], [0.5], colors=OUTLINE, linewidths=0.9)
            if title == "difference":
                axis.contour(brain[tuple(cut)][::-1, ::-1], [0.5], colors=SHAPE, linewidths=0.7)
            axis.set_axis_off()
            if row == 0:
                axis.set_title(title, color=INK, fontsize=13, pad=8)
        left = axes[row, 0]
        left.text(
            -0.03, 0.5, plane, color=QUIET, fontsize=11, rotation=90, va="center", ha="right", transform=left.transAxes
        )
    figure.text(
        0.5,
        0.015,
        "blue: darker than expected, orange: brighter · the patient's left is on the right · research software, "
        "not a medical device",
        color=QUIET,
        fontsize=9,
        ha="center",
    )
    figure.subplots_adjust(left=0.04, right=0.995, top=0.95, bottom=0.045)
    stream = io.BytesIO()
    figure.savefig(stream, format="png", facecolor=BACKGROUND)
    return stream.getvalue()
