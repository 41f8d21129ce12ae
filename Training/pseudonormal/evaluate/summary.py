"""Write an evaluation's tables, plots and pictures."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from pseudonormal.evaluate.plots import delta_plot, reliability_plot, restorers_plot
from pseudonormal.evaluate.rows import Row, write_atomically
from pseudonormal.evaluate.tables import (
    Table,
    all_tables,
    pooled_reliability,
    rows_csv,
    table_markdown,
    tables_csv,
    with_deltas,
    with_ring_ratio,
    with_threshold_dice,
)
from pseudonormal.evaluate.targets import Target, targets, targets_markdown

TIERS = ("simulated", "real", "found", "difference", "longitudinal")
NOTE = (
    "Means over subjects with 95 % bootstrap intervals over subjects; intensities are scaled to [0, 1] by the 0.5 and "
    "99.5 percentiles of the foreground. Research software, not a medical device."
)


def write_summary(
    out: Path, rows: Mapping[str, Sequence[Row]], warnings: Sequence[str]
) -> tuple[list[Table], list[Target]]:
    """Write the CSV of each tier, the summary as CSV, Markdown and JSON, and the plots.

    :param rows: rows by tier.
    :returns: (tables, targets).
    :raises InputError: when the folder cannot be written.
    """
    simulated = with_deltas(rows.get("simulated", ()))
    difference = with_threshold_dice(rows.get("difference", ()))
    longitudinal = with_ring_ratio(rows.get("longitudinal", ()))
    real, found = list(rows.get("real", ())), list(rows.get("found", ()))
    for name, tier in zip(TIERS, (simulated, real, found, difference, longitudinal), strict=True):
        if tier:
            write_atomically(out / f"{name}.csv", rows_csv(tier))
    tables = all_tables(simulated, real, found, difference, longitudinal)
    wanted = targets(simulated, real, found, longitudinal)
    parts = ["# Evaluation", "", NOTE, ""]
    if wanted:
        parts += [targets_markdown(wanted)]
    parts += [table_markdown(table) for table in tables]
    if warnings:
        parts += ["### Warnings", "", *[f"- {warning}" for warning in warnings], ""]
    write_atomically(out / "summary.csv", tables_csv(tables))
    write_atomically(out / "summary.md", "\n".join(parts))
    write_atomically(out / "summary.json", _json(tables, wanted, warnings))
    _write_plots(out / "plots", simulated, found, longitudinal)
    return tables, wanted


def example_path(out: Path, stratum: str) -> Path:
    """Where the picture of a size class's simulated lesions is written."""
    return out / "plots" / f"examples_{stratum}.png"


def _write_plots(folder: Path, simulated: Sequence[Row], found: Sequence[Row], longitudinal: Sequence[Row]) -> None:
    for name in dict.fromkeys(str(row["restorer"]) for row in simulated if row["learnt"]):
        write_atomically(folder / f"delta_best_{name.replace('/', '_')}.png", delta_plot(simulated, name))
    if simulated:
        write_atomically(folder / "psnr.png", restorers_plot(simulated, "psnr_db", "in-lesion PSNR (dB)"))
    kinds = {kind: bins for kind, bins in pooled_reliability(found).items() if bins.count.any()}
    if kinds:
        write_atomically(folder / "reliability.png", reliability_plot(kinds))
    if longitudinal:
        label = "mean absolute error at new and vanished lesions"
        write_atomically(folder / "longitudinal.png", restorers_plot(longitudinal, "mae", label))


def _json(tables: Sequence[Table], wanted: Sequence[Target], warnings: Sequence[str]) -> str:
    content = {
        "tables": [asdict(table) for table in tables],
        "targets": [asdict(target) for target in wanted],
        "warnings": list(warnings),
    }
    return json.dumps(_without_nan(content), indent=1, allow_nan=False) + "\n"


def _without_nan(value: object) -> object:
    if isinstance(value, dict):
        return {name: _without_nan(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_nan(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
