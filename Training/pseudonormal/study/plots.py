"""What the studies found, as pictures (PNG)."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pseudonormal.evaluate.plots import COLOURS
from pseudonormal.study.tables import mean_of, seeds_of

Rows = Sequence[Mapping[str, Any]]


def labels_plot(rows: Rows) -> bytes:
    """Dice and PSNR by the share of masks, with and without unlabelled scans; small points are seeds."""
    figure = Figure(figsize=(9, 3.8), layout="constrained")
    for axes, metric, label in zip(
        figure.subplots(1, 2), ("dice", "psnr_void"), ("Dice of the segmentor", "in-lesion PSNR (dB)"), strict=True
    ):
        for unlabelled, colour in zip((False, True), COLOURS, strict=False):
            some = [row for row in rows if row["unlabelled"] == unlabelled]
            shares = sorted({float(row["share"]) for row in some})
            groups = [[row for row in some if row["share"] == share] for share in shares]
            name = f"{'with' if unlabelled else 'without'} unlabelled scans"
            _line(axes, [100 * share for share in shares], groups, metric, name, colour)
        axes.set_xscale("log")
        axes.set_xticks([10, 25, 50, 100], ["10 %", "25 %", "50 %", "100 %"])
        axes.set_xticks([], minor=True)
        axes.set_xlabel("share of the masks")
        axes.set_ylabel(label)
        axes.grid(alpha=0.3)
    axes.axhline(mean_of(rows, "psnr_fill").mean, color="black", linewidth=0.8, linestyle=":", label="biharmonic fill")
    axes.legend(frameon=False)
    return _png(figure)


def loop_plot(rows: Rows) -> bytes:
    """Round by round: voxels to correct in a waiting case, and Dice on unseen subjects."""
    figure = Figure(figsize=(9, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    for order, colour in zip(("active", "random"), COLOURS, strict=False):
        some = [row for row in rows if row["order"] == order]
        numbers = sorted({int(row["round"]) for row in some})
        groups = [[row for row in some if row["round"] == number] for number in numbers]
        drawn = [float(np.mean([row["drawn"] for row in group])) for group in groups]
        wrong = [[float(row["wrong_waiting"]) for row in group] for group in groups]
        left.plot(drawn, [np.mean(values) for values in wrong], marker="o", color=colour, label=f"{order} order")
        for place, values in zip(drawn, wrong, strict=True):
            left.scatter([place] * len(values), values, s=10, color=colour, alpha=0.5)
        _line(right, drawn, groups, "dice", f"{order} order", colour)
    left.set_ylabel("voxels to correct in a waiting case")
    left.set_ylim(bottom=0)
    right.set_ylabel("Dice on unseen subjects")
    for axes in (left, right):
        axes.set_xlabel("cases that were corrected")
        axes.grid(alpha=0.3)
    right.legend(frameon=False)
    return _png(figure)


def _line(axes: Axes, places: Sequence[float], groups: Sequence[Rows], metric: str, label: str, colour: str) -> None:
    axes.plot(places, [mean_of(group, metric).mean for group in groups], marker="o", color=colour, label=label)
    for place, group in zip(places, groups, strict=True):
        values = list(seeds_of(group, metric).values())
        axes.scatter([place] * len(values), values, s=10, color=colour, alpha=0.5)


def _png(figure: Figure) -> bytes:
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=110)
    return stream.getvalue()
