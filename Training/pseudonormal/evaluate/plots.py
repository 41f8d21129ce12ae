"""Plots of an evaluation, as PNG bytes."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.ndimage import binary_erosion

from pseudonormal.evaluate.bootstrap import Interval, bootstrap_mean
from pseudonormal.evaluate.reliability import Reliability
from pseudonormal.evaluate.rows import Row, number
from pseudonormal.evaluate.simulated import STRATA

COLOURS = ("#0072B2", "#E69F00", "#009E73")  # Okabe and Ito's palette, told apart by colour-blind readers too
WINDOW = 90  # voxels of a picture, each way
ENLARGED = 3  # pixels of a voxel, so that the outline is thin
ERROR_SHOWN = 0.3  # full colour
LEARNT, CLASSICAL = "#0072B2", "#7F7F7F"


@dataclass(frozen=True)
class Example:
    """A simulated lesion and its restorations; arrays (D, H, W), scaled intensities.

    :param title: what it shows.
    :param outputs: restorations by restorer.
    """

    title: str
    image: NDArray[np.float32]
    truth: NDArray[np.float32]
    lesion: NDArray[np.bool_]
    outputs: dict[str, NDArray[np.float32]]


def delta_plot(rows: Sequence[Row], restorer: str) -> bytes:
    """PSNR of a learnt restorer over the best classical fill, by family and size, with confidence intervals.

    :param rows: tier A rows completed by ``tables.with_deltas``.
    """
    mine = [row for row in rows if row["restorer"] == restorer]
    families = list(dict.fromkeys(str(row["family"]) for row in mine))
    figure = Figure(figsize=(max(6.0, 1.3 * len(families) + 2.5), 4.2), layout="constrained")
    axes = figure.subplots()
    axes.axhline(0, color="black", linewidth=0.8)
    for index, stratum in enumerate(STRATA):
        cells = [_mean(mine, "delta_best_db", family=family, stratum=stratum.name) for family in families]
        places = np.arange(len(families)) + 0.22 * (index - 1)
        label = f"{stratum.name} ({stratum.low_ml:g} to {stratum.high_ml:g} ml)"
        _points(axes, places, cells, COLOURS[index], label)
    unseen = {str(row["family"]) for row in mine if row.get("seen") is False}
    names = [family.replace("_", " ") + ("\n(unseen)" if family in unseen else "") for family in families]
    axes.set_xticks(range(len(families)), names)
    axes.set_ylabel("PSNR over the best classical fill (dB)")
    axes.set_title(f"{restorer}: in-lesion PSNR, mean and 95 % CI over subjects")
    axes.legend(frameon=False, ncols=3, loc="upper center", bbox_to_anchor=(0.5, -0.14))
    axes.grid(axis="y", alpha=0.3)
    return _png(figure)


def restorers_plot(rows: Sequence[Row], metric: str, label: str) -> bytes:
    """Every restorer's mean of a metric with its confidence interval, best at the top."""
    names = dict.fromkeys(str(row["restorer"]) for row in rows)
    learnt = {str(row["restorer"]) for row in rows if row["learnt"]}
    cells = {name: _mean(rows, metric, restorer=name) for name in names}
    ordered = sorted((name for name in names if cells[name].values), key=lambda name: cells[name].mean)
    figure = Figure(figsize=(6.5, 0.36 * len(ordered) + 1.2), layout="constrained")
    axes = figure.subplots()
    for place, name in enumerate(ordered):
        cell = cells[name]
        axes.errorbar(cell.mean, place, xerr=_arms([cell]), fmt="o", color=LEARNT if name in learnt else CLASSICAL)
    axes.set_yticks(range(len(ordered)), [name.replace("_", " ") for name in ordered])
    axes.set_xlabel(label)
    axes.grid(axis="x", alpha=0.3)
    return _png(figure)


def reliability_plot(kinds: Mapping[str, Reliability]) -> bytes:
    """What was true against what was said, in bins of the probability; on the diagonal it can be believed.

    :param kinds: "voxels" and "findings", as ``tables.pooled_reliability`` pools them.
    """
    figure = Figure(figsize=(4.6, 4.4), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="black", linewidth=0.8)
    for (kind, bins), colour in zip(kinds.items(), COLOURS, strict=False):
        filled = bins.count > 0
        said, true = bins.said[filled] / bins.count[filled], bins.true[filled] / bins.count[filled]
        label = f"{kind} ({int(bins.count.sum())}): calibration error {bins.error:.4f}"
        axes.plot(said, true, marker="o", markersize=4, color=colour, label=label)
    axes.set_xlabel("mean probability that was said")
    axes.set_ylabel("share that was true")
    axes.legend(frameon=False, loc="upper left")
    axes.grid(alpha=0.3)
    return _png(figure)


def examples_plot(examples: Sequence[Example]) -> bytes:
    """For each example a line of axial pictures: input, truth, then each restoration and its error.

    Seen as radiologists do, from below: the patient's left is on the right. The mask is outlined.

    :raises ValueError: when there is no example.
    """
    if not examples:
        raise ValueError("there is no example to show")
    strips = [_strip(example) for example in examples]
    inch = 1.7
    columns = max(len(names) for _, names in strips)
    figure = Figure(figsize=(inch * columns + 0.3, (inch + 0.25) * len(strips)))
    grid = figure.subplots(len(strips), 1, squeeze=False)
    figure.subplots_adjust(left=0.3 / (inch * columns + 0.3), right=1, bottom=0, top=0.93, hspace=0.25)
    for axes, (strip, names), example in zip(grid[:, 0], strips, examples, strict=True):
        axes.imshow(strip, interpolation="nearest")
        width = strip.shape[1] / len(names)
        axes.set_xticks([(index + 0.5) * width for index in range(len(names))], names, fontsize=7)
        axes.tick_params(top=True, labeltop=True, bottom=False, labelbottom=False, length=0)
        axes.set_yticks([])
        axes.set_ylabel(example.title.replace("_", " "), fontsize=7)
        axes.set_frame_on(False)
    return _png(figure)


def _strip(example: Example) -> tuple[NDArray[np.float64], list[str]]:
    """One line of pictures as (rows, columns, RGB), and what each shows."""
    level = int(np.argmax(example.lesion.sum(axis=(1, 2))))
    middle = [int(np.mean(np.flatnonzero(example.lesion[level].any(axis=axis)))) for axis in (1, 0)]
    view = (level, _window(middle[0], example.lesion.shape[1]), _window(middle[1], example.lesion.shape[2]))
    pictures = [("input", example.image, False), ("truth", example.truth, False)]
    for name, output in example.outputs.items():
        pictures += [(name.replace("_", " "), output, False), ("error", output - example.truth, True)]
    mask = np.kron(example.lesion[view], np.ones((ENLARGED, ENLARGED), bool))
    outline = mask & ~binary_erosion(mask)
    parts = []
    for _, picture, signed in pictures:
        level_of = picture[view] / (2 * ERROR_SHOWN) + 0.5 if signed else picture[view]
        part = colormaps["RdBu_r" if signed else "gray"](np.clip(level_of, 0, 1))[..., :3]
        part = np.kron(part, np.ones((ENLARGED, ENLARGED, 1)))
        part[outline] = to_rgb(COLOURS[1])
        parts.append(np.pad(part[::-1, ::-1], ((0, 0), (0, 4), (0, 0)), constant_values=1.0))
    return np.concatenate(parts, axis=1), [name for name, _, _ in pictures]


def _window(centre: int, size: int) -> slice:
    """A window of one width everywhere, or the whole axis where that is shorter."""
    start = min(max(centre - WINDOW // 2, 0), max(size - WINDOW, 0))
    return slice(start, min(start + WINDOW, size))


def _mean(rows: Sequence[Row], metric: str, **where: str) -> Interval:
    chosen = [row for row in rows if all(row.get(column) == value for column, value in where.items())]
    return bootstrap_mean([number(row, metric) for row in chosen], [str(row["subject"]) for row in chosen])


def _points(axes: Axes, places: NDArray[np.floating], cells: Sequence[Interval], colour: str, label: str) -> None:
    axes.errorbar(
        places, [cell.mean for cell in cells], yerr=_arms(cells), fmt="o", color=colour, capsize=2.5, label=label
    )


def _arms(cells: Sequence[Interval]) -> NDArray[np.float64]:
    """(2, N) lengths of the error bars; 0 where there is no interval."""
    arms = [(cell.mean - cell.low, cell.high - cell.mean) for cell in cells]
    return np.array([[0.0 if math.isnan(arm) else max(arm, 0.0) for arm in pair] for pair in arms]).T


def _png(figure: Figure) -> bytes:
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=110)
    return stream.getvalue()
