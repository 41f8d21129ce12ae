"""Many scans through the panel, with a real engine."""

from __future__ import annotations

import csv
import shutil

import pytest


@pytest.fixture
def a_folder_of_scans(a_head, tmp_path):
    """Two scans and a file that is none."""
    folder = tmp_path / "Stationen für Lékař"
    folder.mkdir()
    shutil.copy(a_head.scan, folder / "first.nii.gz")
    (folder / "second.nii.gz").write_bytes(b"no scan at all")
    (folder / "notes.txt").write_text("not a scan", encoding="utf-8")
    return folder


def test_a_batch_needs_an_engine_and_two_folders(a_panel, connected, a_folder_of_scans, tmp_path):
    batch = connected.batch
    assert batch.start_button.toolTip == "Choose the folder with the scans"
    batch.input_edit.currentPath = str(a_folder_of_scans)
    assert batch.start_button.toolTip == "Choose the folder that takes the results"
    batch.output_edit.currentPath = str(tmp_path / "out")
    assert batch.start_button.enabled


def test_a_batch_goes_on_after_a_failure_and_skips_what_is_done(connected, a_folder_of_scans, tmp_path, until):
    batch, out = connected.batch, tmp_path / "Ergebnisse"
    batch.input_edit.currentPath, batch.output_edit.currentPath = str(a_folder_of_scans), str(out)
    batch.start_button.click()
    assert not batch.start_button.enabled and batch.start_button.toolTip == "A batch is under way"
    until(lambda: batch.start_button.enabled, seconds=120)
    assert rows(batch.table) == {"first": "done", "second": "failed"}
    assert batch.progress.message.text == "1 of 2 done, 1 failed"
    assert (out / "first" / "pseudo_normal.nii.gz").is_file() and not (out / "second").exists()
    assert "1 files are left out" in batch.progress.log.plainText
    batch.start_button.click()
    until(lambda: batch.start_button.enabled, seconds=120)
    assert rows(batch.table)["first"] == "done before"
    with next(out.glob("*.csv")).open(encoding="utf-8-sig", newline="") as file:
        assert {row["case"] for row in csv.DictReader(file)} == {"first", "second"}


def rows(table):
    return {table.item(row, 0).text(): table.item(row, 1).text() for row in range(table.rowCount)}


def test_a_folder_without_scans_is_said_in_one_line(connected, tmp_path):
    (tmp_path / "empty").mkdir()
    connected.batch.input_edit.currentPath = str(tmp_path / "empty")
    connected.batch.output_edit.currentPath = str(tmp_path / "out")
    connected.batch.start_button.click()
    assert connected.batch.progress.message.text.startswith("There is no scan to work on")
    assert connected.batch.start_button.enabled and not (tmp_path / "out").exists()
