"""What an evaluation keeps and shows: rows that survive, tables, targets."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from pseudonormal.errors import InputError
from pseudonormal.evaluate.rows import Row, RowStore, digest, write_atomically
from pseudonormal.evaluate.tables import rows_csv, summarise, table_markdown, with_deltas, with_threshold_dice
from pseudonormal.evaluate.targets import targets


def test_rows_survive_a_kill_in_the_middle_of_a_line(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    RowStore(path).add([{"key": "a", "value": math.nan}, {"key": "b", "value": np.float32(2)}])
    with path.open("ab") as stream:
        stream.write(b'{"key": "c", "val')
    store = RowStore(path)
    assert store.get("a") == {"key": "a", "value": None}
    assert store.get("b") == {"key": "b", "value": 2.0}
    assert store.get("c") is None
    store.add([{"key": "c"}])
    assert RowStore(path).get("c") == {"key": "c"}


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for write in (RowStore, lambda path: write_atomically(path, "text")):
        with pytest.raises(InputError, match="file"):
            write(tmp_path / "file" / "rows.jsonl")


def test_a_digest_tells_arrays_and_words_apart() -> None:
    zeros = np.zeros((2, 3), np.float32)
    assert digest(zeros, "a") == digest(zeros.copy(), "a")
    others = [digest(zeros.T, "a"), digest(zeros + 1, "a"), digest(zeros, "b"), digest(zeros > 0, "a"), digest("a")]
    assert digest(zeros, "a") not in others
    assert digest("ab", "c") != digest("a", "bc")


def test_deltas_are_taken_against_the_best_classical_fill_of_each_lesion() -> None:
    def row(lesion: str, name: str, value: float, learnt: bool = False) -> Row:
        return {"lesion": lesion, "restorer": name, "psnr_db": value, "learnt": learnt, "subject": lesion}

    rows = [row("1", "ring_mean", 20), row("1", "biharmonic", 24), row("1", "net", 25, True)]
    rows += [row("2", "ring_mean", 23), row("2", "biharmonic", 22), row("2", "net", 22.5, True)]
    one, two = (row for row in with_deltas(rows) if row["learnt"])
    assert (one["delta_best_db"], one["delta_vs_ring_mean"], one["best_classical"]) == (1, 5, "biharmonic")
    assert (two["delta_best_db"], two["delta_vs_biharmonic"], two["best_classical"]) == (-0.5, 0.5, "ring_mean")


def test_the_difference_threshold_comes_from_validation_cases() -> None:
    def row(split: str, peak: int) -> Row:
        curve = [0.2] * 50
        curve[peak] = 0.9
        return {"restorer": "net", "split": split, "subject": split, "dice_curve": curve}

    _, test = with_threshold_dice([row("validation", 10), row("test", 30)])
    assert test["threshold"] == pytest.approx(0.11)
    assert test["dice_at_threshold"] == 0.2
    (alone,) = with_threshold_dice([row("test", 30)])
    assert "dice_at_threshold" not in alone


def test_a_table_shows_means_over_subjects_and_leaves_validation_out() -> None:
    rows: list[Row] = [
        {"restorer": "net", "subject": subject, "split": split, "mae": value}
        for subject, split, value in (("a", "test", 0.1), ("b", "", 0.3), ("v", "validation", 9.0))
    ]
    table = summarise("x", "X", rows, ["restorer"], ("mae", "absent"))
    assert table is not None
    assert table.metrics == ("mae",)
    assert table.lines[0].cells["mae"].mean == pytest.approx(0.2)
    assert "| net | 0.200 [0.100, 0.300] | 2 | 2 |" in table_markdown(table)
    assert summarise("x", "X", rows, ["restorer"], ("absent",)) is None


def test_csv_has_every_column_and_leaves_the_unknown_empty() -> None:
    text = rows_csv([{"a": 1, "key": "x"}, {"a": math.nan, "b": None, "c": "1,2"}])
    assert text.splitlines() == ["a,b,c", "1,,", ',,"1,2"']


def test_targets_name_the_worst_family_and_judge_each_normal_scan() -> None:
    simulated: list[Row] = [
        {
            "restorer": "net",
            "learnt": True,
            "subject": "a",
            "stratum": "small",
            "family": family,
            "delta_best_db": 0.5,
            "delta_vs_ring_mean": delta,
            "outside_max": 0.0,
        }
        for family, delta in (("bright", 3.0), ("dark", -2.0))
    ]
    found: list[Row] = [
        {"subject": name, "known_ml": 0.0, "false_positive_ml": volume} for name, volume in (("x", 0.2), ("y", 1.4))
    ]
    by_text = {line.wanted: line for line in targets(simulated, [], found, [])}
    worst = next(line for text, line in by_text.items() if "worst family" in text)
    assert "dark" in worst.wanted
    assert worst.met is False
    assert by_text["found in a normal scan: at most 1 ml each"].measured == 1.4
    assert by_text["contrast left in real FLAIR lesions: at most 0.2"].met is None
