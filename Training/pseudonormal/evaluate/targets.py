"""What the project wants of a learnt restorer, and what was measured."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pseudonormal.cases import VALIDATION
from pseudonormal.evaluate.bootstrap import Interval, bootstrap_mean
from pseudonormal.evaluate.rows import Row, number
from pseudonormal.evaluate.tables import RING

LEAST_FOUND_DICE = {"glioma": 0.75, "ms": 0.5}  # by the cases' extra column ``disease``


@dataclass(frozen=True)
class Target:
    """One wanted property.

    :param subject: whose property: a restorer, or the segmenter.
    :param wanted: in words, with its bound.
    :param measured: the number that is held against the bound; nan when nothing could be measured.
    :param met: None when nothing could be measured.
    :param interval: the number with its confidence interval, where it is a mean over subjects.
    """

    subject: str
    wanted: str
    measured: float
    met: bool | None
    interval: Interval | None = None


def targets(
    simulated: Sequence[Row], real: Sequence[Row], found: Sequence[Row], longitudinal: Sequence[Row]
) -> list[Target]:
    """Hold the rows against every target; rows as for ``tables.all_tables``."""
    simulated, real, found, longitudinal = (
        [row for row in rows if row.get("split") != VALIDATION] for rows in (simulated, real, found, longitudinal)
    )
    learnt = dict.fromkeys(str(row["restorer"]) for row in [*simulated, *real, *longitudinal] if row["learnt"])
    result: list[Target] = []
    for name in learnt:
        mine, on_real = ([row for row in rows if row["restorer"] == name] for rows in (simulated, real))
        result += _simulated_targets(name, mine)
        changed = max((number(row, "outside_max") for row in [*mine, *on_real]), default=math.nan)
        result.append(_target(name, "largest change outside the mask: 0", changed, lambda value: value == 0))
        flair = [row for row in on_real if str(row.get("contrast", "")).lower() in ("", "flair")]
        left = _mean(flair, "contrast_left")
        result.append(_target(name, "contrast left in real FLAIR lesions: at most 0.2", left, lambda v: v <= 0.2))
        ratio = _longitudinal_ratio(name, longitudinal)
        wanted = "error at new and vanished lesions: at most 0.8 of ring mean's"
        result.append(_target(name, wanted, ratio, lambda v: v <= 0.8))
    return result + _found_targets(found)


def targets_markdown(lines: Sequence[Target]) -> str:
    """The targets, one line each."""
    text = ["### Targets", "", "| of | wanted | measured | met |", "| --- | --- | --- | --- |"]
    for line in lines:
        measured = "not measured" if math.isnan(line.measured) else f"{line.measured:.3f}"
        if line.interval is not None and not math.isnan(line.interval.low):
            measured += f" [{line.interval.low:.3f}, {line.interval.high:.3f}]"
        met = {None: "", True: "yes", False: "**no**"}[line.met]
        text.append(f"| {line.subject} | {line.wanted} | {measured} | {met} |")
    return "\n".join(text) + "\n"


def _simulated_targets(name: str, rows: Sequence[Row]) -> list[Target]:
    by_size = {size: [row for row in rows if row["stratum"] == size] for size in ("small", "large")}
    families = dict.fromkeys(str(row["family"]) for row in rows)
    against_ring = {
        family: _mean([row for row in rows if row["family"] == family], f"delta_vs_{RING}").mean for family in families
    }
    worst = min(against_ring, key=lambda family: _or_infinity(against_ring[family]), default="")
    sharp = _mean(rows, "gradient_ratio_textured")
    return [
        _target(name, "PSNR over best classical fill: at least +1 dB", _mean(rows, "delta_best_db"), _at_least(1.0)),
        _target(name, "the same, large: at least +1.5 dB", _mean(by_size["large"], "delta_best_db"), _at_least(1.5)),
        _target(name, "the same, small: at least -0.1 dB", _mean(by_size["small"], "delta_best_db"), _at_least(-0.1)),
        _target(
            name,
            f"worst family over ring mean: at least -0.5 dB ({worst})",
            against_ring.get(worst, math.nan),
            _at_least(-0.5),
        ),
        _target(name, "gradient ratio with texture: 0.8 to 1.2", sharp, lambda value: 0.8 <= value <= 1.2),
    ]


def _found_targets(rows: Sequence[Row]) -> list[Target]:
    result = []
    for disease, least in LEAST_FOUND_DICE.items():
        mean = _mean([row for row in rows if str(row.get("disease", "")).lower() == disease], "dice")
        if mean.values:
            result.append(_target("segmenter", f"Dice of found {disease}: at least {least}", mean, _at_least(least)))
    normals = [number(row, "false_positive_ml") for row in rows if number(row, "known_ml") == 0]
    if normals:
        wanted = "found in a normal scan: at most 1 ml each"
        result.append(_target("segmenter", wanted, max(normals), lambda value: value <= 1.0))
    return result


def _longitudinal_ratio(name: str, rows: Sequence[Row]) -> float:
    """Mean error over all changes, as a share of ring mean's."""
    mine = [number(row, "mae") for row in rows if row["restorer"] == name]
    ring = [number(row, "mae") for row in rows if row["restorer"] == RING]
    return sum(mine) / sum(ring) if mine and ring else math.nan


def _mean(rows: Sequence[Row], metric: str) -> Interval:
    return bootstrap_mean([number(row, metric) for row in rows], [str(row["subject"]) for row in rows])


def _target(subject: str, wanted: str, measured: float | Interval, holds: Callable[[float], bool]) -> Target:
    interval = measured if isinstance(measured, Interval) else None
    value = measured.mean if isinstance(measured, Interval) else measured
    return Target(subject, wanted, value, None if math.isnan(value) else holds(value), interval)


def _at_least(bound: float) -> Callable[[float], bool]:
    return lambda value: value >= bound


def _or_infinity(value: float) -> float:
    return math.inf if math.isnan(value) else value
