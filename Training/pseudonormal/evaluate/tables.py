"""Summary tables: means over subjects with confidence intervals, as CSV and Markdown."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pseudonormal.cases import VALIDATION
from pseudonormal.evaluate.bootstrap import Interval, bootstrap_mean
from pseudonormal.evaluate.detection import best_threshold
from pseudonormal.evaluate.real import THRESHOLDS
from pseudonormal.evaluate.reliability import Reliability
from pseudonormal.evaluate.rows import Row, number

RING, BIHARMONIC = "ring_mean", "biharmonic"
OURS = ("psnr_db", "delta_best_db", "delta_vs_ring_mean", "delta_vs_biharmonic", "mae", "rmse", "ssim")
SHARPNESS = ("gradient_ratio", "gradient_ratio_textured", "seam", "outside_mae", "seconds")
LEFT_OUT = ("tier", "key", "lesion", "record", "dice_curve", "reliability")  # of CSV files: no numbers to look at
LESIONWISE = ("lesion_recall", "lesion_precision", "lesion_f1")
BRATS = ("brats_ssim", "brats_psnr", "brats_psnr01", "brats_mse", "brats_rmse", "brats_mae")


@dataclass(frozen=True)
class Line:
    """One line of a table: what it is about and its numbers."""

    group: tuple[str, ...]
    cells: dict[str, Interval]


@dataclass(frozen=True)
class Table:
    """A summary table.

    :param name: short, for the CSV.
    :param title: for people.
    :param by: what its lines are grouped by.
    :param metrics: its number columns.
    :param lines: in order.
    """

    name: str
    title: str
    by: tuple[str, ...]
    metrics: tuple[str, ...]
    lines: list[Line] = field(default_factory=list)


def with_deltas(rows: Iterable[Row]) -> list[Row]:
    """Tier A rows with their PSNR against the classical fills on the same lesion, in dB.

    ``delta_best_db``: against the best classical fill of this lesion (``best_classical``); a classical fill is
    measured against the best of all, itself included, so it has at most 0. ``delta_vs_ring_mean`` and
    ``delta_vs_biharmonic``: against these.
    """
    rows = list(rows)
    classical: dict[object, dict[str, float]] = {}
    for row in rows:
        if not row["learnt"]:
            classical.setdefault(row["lesion"], {})[str(row["restorer"])] = number(row, "psnr_db")
    result = []
    for row in rows:
        others = classical.get(row["lesion"], {})
        mine = number(row, "psnr_db")
        best = max(others, key=lambda name: others[name], default=None)
        deltas: Row = {"best_classical": best}
        deltas["delta_best_db"] = mine - others[best] if best is not None else math.nan
        for name in (RING, BIHARMONIC):
            deltas[f"delta_vs_{name}"] = mine - others.get(name, math.nan)
        result.append({**row, **deltas})
    return result


def with_ring_ratio(rows: Iterable[Row]) -> list[Row]:
    """Longitudinal rows with their error as a share of ring mean's at the same change."""
    rows = list(rows)
    ring = {(row["case"], row["change"]): number(row, "mae") for row in rows if row["restorer"] == RING}
    result = []
    for row in rows:
        reference = ring.get((row["case"], row["change"]), math.nan)
        result.append({**row, "ratio_to_ring_mean": number(row, "mae") / reference if reference else math.nan})
    return result


def with_threshold_dice(rows: Iterable[Row]) -> list[Row]:
    """Difference-map rows with ``dice_at_threshold``, at the threshold that is best on validation cases.

    Each restorer has its own threshold; without validation cases there is no such column.
    """
    rows = list(rows)
    curves: dict[object, list[NDArray[np.float64]]] = {}
    for row in rows:
        if row["split"] == VALIDATION:
            curves.setdefault(row["restorer"], []).append(_curve(row))
    chosen = {name: best_threshold(group, THRESHOLDS) for name, group in curves.items()}
    result = []
    for row in rows:
        row = dict(row)
        curve = _curve(row)
        row.pop("dice_curve")
        if row["restorer"] in chosen:
            threshold = chosen[row["restorer"]]
            row.update(threshold=threshold, dice_at_threshold=float(curve[int(abs(THRESHOLDS - threshold).argmin())]))
        result.append(row)
    return result


def summarise(name: str, title: str, rows: Iterable[Row], by: Sequence[str], metrics: Sequence[str]) -> Table | None:
    """Group rows and average them over subjects; metrics that no row has are left out.

    :returns: None when there is nothing to show.
    """
    rows = [row for row in rows if row.get("split") != VALIDATION]
    kept = tuple(metric for metric in metrics if any(math.isfinite(number(row, metric)) for row in rows))
    if not kept:
        return None
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(_word(row.get(column)) for column in by), []).append(row)
    table = Table(name, title, tuple(by), kept)
    for group, members in groups.items():
        subjects = [str(row["subject"]) for row in members]
        cells = {metric: bootstrap_mean([number(row, metric) for row in members], subjects) for metric in kept}
        table.lines.append(Line(group, cells))
    return table


def pooled_reliability(found: Iterable[Row]) -> dict[str, Reliability]:
    """Of "voxels" and of "findings": what was said and what was true in all cases but those for validation."""
    kept = [row["reliability"] for row in found if row.get("split") != VALIDATION and row.get("reliability")]
    return {
        kind: Reliability.pooled(Reliability.from_lists(one[kind]) for one in kept if isinstance(one, dict))
        for kind in ("voxels", "findings")
    }


def reliability_table(found: Iterable[Row]) -> Table | None:
    """How far lesion probabilities can be believed, all cases counted together."""
    table = Table("reliability", "Can lesion probabilities be believed?", ("of",), ("ece", "mean_said", "share_true"))
    rows = list(found)
    subjects = len({row["subject"] for row in rows if row.get("split") != VALIDATION and row.get("reliability")})
    for kind, bins in pooled_reliability(rows).items():
        total = int(bins.count.sum())
        if total:
            numbers = (bins.error, bins.said.sum() / total, bins.true.sum() / total)
            cells = [Interval(float(value), math.nan, math.nan, subjects, total) for value in numbers]
            table.lines.append(Line((kind,), dict(zip(table.metrics, cells, strict=True))))
    return table if table.lines else None


def all_tables(
    simulated: list[Row], real: list[Row], found: list[Row], difference: list[Row], longitudinal: list[Row]
) -> list[Table]:
    """Every table that the rows allow.

    The rows are those completed by ``with_deltas``, ``with_ring_ratio`` and ``with_threshold_dice``.
    """
    against = ("psnr_db", "delta_best_db", "delta_vs_ring_mean")
    tables = [
        summarise("restorer", "Simulated lesions, in-lesion", simulated, ["restorer"], OURS),
        summarise("sharpness", "Simulated lesions, sharpness, surroundings, time", simulated, ["restorer"], SHARPNESS),
        summarise("size", "Simulated lesions by size", simulated, ["restorer", "stratum"], against),
        summarise("family", "Simulated lesions by family", simulated, ["restorer", "family", "seen"], against),
        summarise(
            "seen",
            "Simulated lesions, families seen in training or not",
            [row for row in simulated if row.get("seen") is not None],
            ["restorer", "seen"],
            against,
        ),
        summarise(
            "family_size",
            "Simulated lesions by family and size",
            [row for row in simulated if row["learnt"]],
            ["restorer", "family", "stratum"],
            against,
        ),
        summarise("brats", "Simulated lesions, BraTS-comparable", simulated, ["restorer"], BRATS),
        summarise(
            "real",
            "Real lesions",
            real,
            ["restorer", "contrast"],
            ("contrast_left", "healthiness", "outside_mae", "outside_max", "native_outside_max", "seconds"),
        ),
        summarise(
            "found",
            "Lesions found without a mask",
            found,
            ["disease", "contrast"],
            ("dice", *LESIONWISE, "known_ml", "found_ml", "false_positive_ml", "ece"),
        ),
        reliability_table(found),
        summarise(
            "difference",
            "Difference map without a mask, as a detector",
            difference,
            ["restorer"],
            ("auprc", "dice_at_threshold"),
        ),
        summarise(
            "longitudinal",
            "New and vanished lesions, the other visit being the truth",
            longitudinal,
            ["restorer"],
            ("mae", "ratio_to_ring_mean", "bias", "psnr_db"),
        ),
    ]
    return [table for table in tables if table is not None]


def table_markdown(table: Table) -> str:
    """A table in Markdown; cells are "mean [low, high]", the interval left out where there is one subject."""
    head = [*table.by, *table.metrics, "subjects", "values"]
    lines = [f"### {table.title}", "", _line(head), _line("---" for _ in head)]
    for line in table.lines:
        most = max(line.cells.values(), key=lambda cell: cell.values)
        numbers = [_cell(line.cells[metric]) for metric in table.metrics]
        lines.append(_line([*line.group, *numbers, str(most.subjects), str(most.values)]))
    return "\n".join(lines) + "\n"


def tables_csv(tables: Iterable[Table]) -> str:
    """All tables in one long CSV: table, group, metric, mean, ends of the 95 % interval, subjects, values."""
    rows: list[Row] = []
    for table in tables:
        for line in table.lines:
            group = "; ".join(f"{by}={value}" for by, value in zip(table.by, line.group, strict=True))
            for metric, cell in line.cells.items():
                row: Row = {"table": table.name, "group": group, "metric": metric, "mean": cell.mean, "low": cell.low}
                rows.append({**row, "high": cell.high, "subjects": cell.subjects, "values": cell.values})
    return rows_csv(rows)


def rows_csv(rows: Sequence[Row], leave_out: Sequence[str] = LEFT_OUT) -> str:
    """Rows as CSV with all their columns; what is not known stays empty."""
    columns: dict[str, None] = {}
    for row in rows:
        columns.update(dict.fromkeys(name for name in row if name not in leave_out))
    stream = io.StringIO()
    writer = csv.DictWriter(stream, list(columns), extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: "" if _unknown(value) else value for name, value in row.items()})
    return stream.getvalue()


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def _unknown(value: object) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _curve(row: Row) -> NDArray[np.float64]:
    return np.asarray(row["dice_curve"], np.float64)


def _cell(cell: Interval) -> str:
    if cell.values == 0:
        return ""
    if math.isnan(cell.low):
        return _short(cell.mean)
    return f"{_short(cell.mean)} [{_short(cell.low)}, {_short(cell.high)}]"


def _short(value: float) -> str:
    """Three decimals, or three digits where those would all be 0; exactly 0 is written "0"."""
    if value == 0:
        return "0"
    return f"{value:.3f}" if abs(value) >= 0.001 else f"{value:.2e}"


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
