"""MM-FID and MM-STD as files: a table for people, rows for machines."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pseudonormal.evaluate.realism import Realism, Score, row_normalised
from pseudonormal.evaluate.rows import write_atomically

METRICS = ("mm-fid", "mm-std")
WEAKNESS = (
    "Row-normalised, as published: each extractor's row over resolutions has length 1, so the mean hardly depends on "
    "the generator; for comparison with printed tables only."
)


def write_realism(out: Path, found: Realism, metrics: Sequence[str], *, rows: bool) -> str:
    """Write ``realism.md``, ``realism.csv`` and ``realism.json``.

    :param metrics: of ``METRICS``.
    :param rows: add the authors' row normalisation.
    :returns: the table, Markdown.
    :raises InputError: the folder cannot be written.
    """
    table = realism_markdown(found, metrics, rows=rows)
    write_atomically(out / "realism.md", table)
    write_atomically(out / "realism.csv", _csv(found, metrics))
    write_atomically(out / "realism.json", json.dumps(_plain(found, metrics), indent=2) + "\n")
    return table


def realism_markdown(found: Realism, metrics: Sequence[str], *, rows: bool) -> str:
    """One line a generator; the last one is real against real."""
    scores = _scores(found, metrics)
    head = ["images", *(metric.upper() for metric in scores)]
    head += [f"{metric.upper()}, row-normalised" for metric in scores] if rows else []
    lines = [head, ["---"] * len(head)]
    for name in found.fid:
        cells = [_cell(score[name]) for score in scores.values()]
        cells += [f"{row_normalised(score[name].raw):.3f}" for score in scores.values()] if rows else []
        lines.append([name, *cells])
    floors = [found.floor if metric == "mm-fid" else found.spread for metric in scores]
    lines.append(
        ["real against real", *["1.00"] * len(scores), *([f"{row_normalised(f):.3f}" for f in floors] if rows else [])]
    )
    text = "".join("| " + " | ".join(line) + " |\n" for line in lines)
    said = (
        f"\n{found.count} slices on each side of every comparison. MM-FID: multiples of the FID of one half of the "
        "real slices against the other, lower is better. MM-STD: share of the real slices' standard deviation, 1 is as "
        "various. Brackets: 95 % bootstrap interval over slices.\n"
    )
    return text + said + (f"\n{WEAKNESS}\n" if rows else "")


def _scores(found: Realism, metrics: Sequence[str]) -> dict[str, dict[str, Score]]:
    known = {"mm-fid": found.fid, "mm-std": found.std}
    return {metric: known[metric] for metric in METRICS if metric in metrics}


def _cell(score: Score) -> str:
    return f"{score.value:.2f} [{score.low:.2f}, {score.high:.2f}]"


def _csv(found: Realism, metrics: Sequence[str]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["metric", "images", "features", "resolution", "raw", "real", "normalised"])
    for metric, scores in _scores(found, metrics).items():
        real = found.floor if metric == "mm-fid" else found.spread
        for name, score in scores.items():
            for (features, edge), value in score.raw.items():
                key = features, edge
                writer.writerow([metric, name, features, edge, value, real[key], score.entries[key]])
    return text.getvalue()


def _plain(found: Realism, metrics: Sequence[str]) -> dict[str, Any]:
    scores = _scores(found, metrics)
    return {
        "slices": found.count,
        **{
            metric: {
                name: {key: value for key, value in asdict(score).items() if key not in ("entries", "raw")}
                for name, score in of_metric.items()
            }
            for metric, of_metric in scores.items()
        },
    }
