"""Whether drawn masks are like real ones, and not copies of those that their generator has seen."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy import stats

from pseudonormal.evaluate.detection import dice
from pseudonormal.evaluate.plots import COLOURS
from pseudonormal.recipes.mask_gan.describing import LESION, describe

Masks = Sequence[NDArray[np.float32]]
Tests = dict[str, tuple[float, float]]

COPY = 0.9  # Dice with a mask of the training from which a drawn one counts as its copy


@dataclass(frozen=True)
class Likeness:
    """Drawn masks beside real ones that their generator has not seen.

    :param real: numbers of each real mask by name (see :class:`~pseudonormal.recipes.mask_gan.describing.Description`).
    :param drawn: of each drawn one; learnt: of each mask of the training.
    :param tests: drawn against real, by name: distance of Kolmogorov and Smirnov, and its p: small where they differ.
    :param floor: the same for masks of the training against real ones: no generator can be expected to come nearer.
    :param nearest_real: of each real mask, the highest Dice with a mask of the training; nearest_drawn likewise.
    :param empty: share of drawn masks that show nothing.
    :param heard: rank correlation (Spearman) of the sizes that were asked for with those that were drawn.
    """

    real: dict[str, list[float]]
    drawn: dict[str, list[float]]
    learnt: dict[str, list[float]]
    tests: Tests
    floor: Tests
    nearest_real: list[float]
    nearest_drawn: list[float]
    empty: float
    heard: float

    @property
    def copies(self) -> float:
        """Share of drawn masks that are copies."""
        return float(np.mean([one >= COPY for one in self.nearest_drawn])) if self.nearest_drawn else 0.0


def likeness(real: Masks, drawn: Masks, training: Masks, asked: Sequence[float]) -> Likeness:
    """Compare masks in one frame, (edge, edge, edge) or slices (edge, edge), in [0, 1].

    :param real: that the generator has not seen; training: that it has.
    :param asked: how large each of the drawn ones was to be, in any unit that grows with size.
    """
    shown = [mask for mask in drawn if (mask > LESION).any()]
    first, second, third = (_numbers(masks) for masks in (real, shown, training))
    tests, floor = (_tests(first, numbers) for numbers in (second, third))
    known = [mask > LESION for mask in training]
    known += [mask[..., ::-1] for mask in known]  # training mirrors them too
    near, near_drawn = ([_nearest(mask > LESION, known) for mask in masks] for masks in (real, shown))
    sizes = [float((mask > LESION).sum()) for mask in drawn]
    heard = float(stats.spearmanr(asked, sizes).statistic) if min(map(np.ptp, (asked, sizes))) > 0 else 0.0
    return Likeness(first, second, third, tests, floor, near, near_drawn, 1 - len(shown) / max(1, len(drawn)), heard)


def likeness_markdown(found: Likeness) -> str:
    """A table of the distributions, and how near the nearest masks of the training are."""
    lines = [
        "| | real, median (quartiles) | drawn | learnt from | drawn to real: KS (p) | learnt from to real: KS (p) |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name in found.tests:
        cells = [_quartiles(numbers[name]) for numbers in (found.real, found.drawn, found.learnt)]
        cells += [f"{distance:.2f} ({p:.2g})" for distance, p in (found.tests[name], found.floor[name])]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    near = [_quartiles(values) for values in (found.nearest_real, found.nearest_drawn)]
    lines += [
        f"| Dice with the nearest mask of the training | {near[0]} | {near[1]} | | | |",
        "",
        f"- copies (Dice {COPY} or more with a mask of the training): {found.copies:.1%}",
        f"- drawn masks that show nothing: {found.empty:.1%}",
        f"- rank correlation of the sizes that were asked for with those that were drawn: {found.heard:.2f}",
    ]
    return "\n".join(lines) + "\n"


def likeness_plot(found: Likeness) -> bytes:
    """Distributions of real and drawn masks, side by side, as PNG."""
    panels = [*found.tests, "nearest"]
    figure = Figure(figsize=(2.5 * len(panels), 2.8), layout="constrained")
    for axes, name in zip(np.atleast_1d(figure.subplots(1, len(panels))), panels, strict=True):
        pair = (found.nearest_real, found.nearest_drawn) if name == "nearest" else (found.real[name], found.drawn[name])
        both = np.concatenate([np.asarray(values, float) for values in pair])
        if name == "size":
            axes.set_xscale("log")
            bins = np.geomspace(max(both.min(), 1e-3), both.max() * 1.01, 16)
        else:
            bins = np.linspace(both.min(), both.max() + 1e-6, 16)
        for values, label, colour in zip(pair, ("real", "drawn"), COLOURS, strict=False):
            shares = np.full(len(values), 1 / max(1, len(values)))
            axes.hist(values, bins=bins, weights=shares, histtype="step", color=colour, label=label, linewidth=1.6)
        axes.set_xlabel("Dice with nearest of training" if name == "nearest" else name)
        axes.set_yticks([])
    axes.legend(frameon=False, fontsize=8)
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=110)
    return stream.getvalue()


def _numbers(masks: Masks) -> dict[str, list[float]]:
    found = [one.values() for mask in masks if (one := describe(mask)) is not None]
    names = found[0] if found else ("size", "elongation", "right", "front", "top")
    return {name: [one[name] for one in found] for name in names}


def _tests(real: Mapping[str, Sequence[float]], others: Mapping[str, Sequence[float]]) -> Tests:
    """By name; as different as can be where there are no others."""
    found: Tests = {}
    for name, values in real.items():
        one = stats.ks_2samp(values, others[name]) if others[name] else None
        found[name] = (1.0, 0.0) if one is None else (float(one.statistic), float(one.pvalue))
    return found


def _nearest(mask: NDArray[np.bool_], known: Sequence[NDArray[np.bool_]]) -> float:
    return max((dice(mask, other) for other in known), default=0.0)


def _quartiles(values: Sequence[float]) -> str:
    if not values:
        return ""
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
    return f"{middle:.2f} ({low:.2f} to {high:.2f})"
