"""Batches against a real engine process: many scans, each into its folder."""

import csv
import json
import os
import shutil
import time
from dataclasses import dataclass, replace
from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
from PseudoNormalLib.batch import Batch
from PseudoNormalLib.batch_case import Settings
from PseudoNormalLib.batch_items import items_in_folder, items_in_scene
from PseudoNormalLib.batch_journal import Entry, Journal
from PseudoNormalLib.engine.background import Background
from PseudoNormalLib.engine.client import EngineClient
from PseudoNormalLib.engine.errors import Unreachable
from PseudoNormalLib.scene.volumes import ijk_to_ras, new_volume
from PseudoNormalLib.ticks import Ticks
from Testing.case_folder import FILES
from Testing.engine_process import running_engine

from pseudonormal.store.store import Store

PATIENCE_S = 280  # a busy machine shares its cores


@pytest.fixture(scope="module")
def an_engine(models_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("engine")
    with running_engine(models_folder, folder / "data", folder / "store") as engine:
        yield engine.wait_until_ready()


class ABatch(Batch):
    """A batch and what it said, with the tick that drives it."""

    def __init__(self, engine):
        self.tick = Ticks()
        super().__init__(Background(self.tick), engine)
        self.fractions, self.lines = [], []
        self.progress.connect(lambda fraction, _message, _left: self.fractions.append(fraction))
        self.finished.connect(self.lines.append)

    def run(self, items, out, settings=None, **options):
        """To its end; the states of the cases."""
        self.start(items, out, settings or Settings(), **options)
        assert self.tick.run_until(lambda: not self.running, PATIENCE_S), self.rows
        return [row.state for row in self.rows]


@pytest.fixture
def a_batch(an_engine):
    return ABatch(lambda: EngineClient(an_engine.url, an_engine.token))


@pytest.fixture(scope="module")
def a_small_scan(a_head):
    """(D, H, W) int16: every other voxel of the head, to be shown with edges of 2 mm."""
    return np.ascontiguousarray(a_head.array[::2, ::2, ::2])


@pytest.fixture(scope="module")
def a_ward(a_small_scan, tmp_path_factory):
    """A folder as people have them: scans, a broken one, and other things."""
    ward = tmp_path_factory.mktemp("batch") / "Station Lékař"
    ward.mkdir()
    image = sitk.GetImageFromArray(a_small_scan)
    image.SetDirection([0, -1, 0, 1, 0, 0, 0, 0, 1])
    image.SetSpacing([2, 2, 2])
    image.SetOrigin([10, -20, 30])
    sitk.WriteImage(image, str(ward / "anna.nii.gz"))
    sitk.WriteImage(image, str(ward / "bert.mha"))
    (ward / "cut off.nii.gz").write_bytes((ward / "anna.nii.gz").read_bytes()[:5000])
    (ward / "notes.txt").write_text("x")
    (ward / "old.seg.nrrd").write_text("x")
    (ward / "DICOM").mkdir()
    return ward


@dataclass(frozen=True)
class Finished:
    ward: Path
    out: Path
    batch: ABatch
    states: list


@pytest.fixture(scope="module")
def a_finished_batch(an_engine, a_ward):
    batch = ABatch(lambda: EngineClient(an_engine.url, an_engine.token))
    out = a_ward.parent / "Ergebnisse"
    return Finished(a_ward, out, batch, batch.run(items_in_folder(a_ward).items, out))


@pytest.fixture
def an_earlier_batch(a_finished_batch, tmp_path):
    """A copy of the finished batch's folders, to work on."""
    shutil.copytree(a_finished_batch.ward, tmp_path / "ward")
    shutil.copytree(a_finished_batch.out, tmp_path / "out")
    return replace(a_finished_batch, ward=tmp_path / "ward", out=tmp_path / "out")


def test_what_cannot_be_begun_is_said_in_one_line(a_batch, a_ward, tmp_path):
    items = items_in_folder(a_ward).items
    with pytest.raises(ValueError, match="no scan to work on"):
        a_batch.start([], tmp_path / "out", Settings())
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="cannot be written"):
        a_batch.start(items, tmp_path / "file" / "out", Settings())
    with pytest.raises(ValueError, match="cannot be read"):
        items_in_folder(tmp_path / "nowhere")
    assert not a_batch.running and a_batch.lines == []


def test_images_of_a_folder_are_found_and_what_is_left_out_is_said(a_ward):
    found = items_in_folder(a_ward)
    assert [item.case for item in found.items] == ["anna", "bert", "cut off"]
    assert found.left_out[0].startswith("2 files") and found.left_out[1].startswith("1 folders")


def test_what_a_files_name_tells_of_subject_and_contrast_goes_with_it(tmp_path):
    for name in ("sub-07_FLAIR.nii.gz", "head.nrrd"):
        (tmp_path / name).write_bytes(b"x")
    head, flair = (item.begin()() for item in items_in_folder(tmp_path).items)
    assert (flair.contrast, flair.subject, flair.content.name) == ("flair", "07", "sub-07_FLAIR.nii.gz")
    assert (head.contrast, head.subject) == (None, None)


def test_one_bad_scan_does_not_stop_the_others(a_finished_batch):
    batch = a_finished_batch.batch
    assert a_finished_batch.states == ["done", "done", "failed"]
    assert batch.lines == ["2 of 3 done, 1 failed"]
    assert "truncated or damaged" in batch.rows[2].line
    assert batch.fractions == sorted(batch.fractions) and batch.fractions[-1] == 1
    names = sorted(path.name for path in a_finished_batch.out.iterdir())
    assert names == ["anna", "batch.json", "bert", "summary.csv"]


@pytest.mark.parametrize("case", ["anna", "bert"])
def test_a_case_has_the_command_lines_files_on_the_scans_grid(case, a_finished_batch, a_small_scan):
    folder = a_finished_batch.out / case
    assert {path.name for path in folder.iterdir()} == FILES
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert report["case"] == case and report["input"]["name"].startswith(case)
    assert set(report["files"]) == FILES
    assert next(row for row in a_finished_batch.batch.rows if row.case == case).page == folder / "report.html"
    pseudo = nibabel.load(folder / "pseudo_normal.nii.gz")
    scan = nibabel.load(a_finished_batch.ward / "anna.nii.gz")
    np.testing.assert_allclose(pseudo.affine, scan.affine, atol=1e-4)
    assert pseudo.get_data_dtype() == np.int16
    lesion = np.asarray(nibabel.load(folder / "lesion_mask.nii.gz").dataobj).T > 0
    assert lesion.any()
    after = np.asarray(pseudo.dataobj).T
    np.testing.assert_array_equal(after[~lesion], a_small_scan[~lesion])
    difference = np.asarray(nibabel.load(folder / "difference.nii.gz").dataobj).T
    np.testing.assert_allclose(difference, a_small_scan.astype(np.float32) - after, atol=1e-3)


def test_the_summary_is_a_table_for_spreadsheets(a_finished_batch):
    with (a_finished_batch.out / "summary.csv").open(encoding="utf-8-sig") as stream:
        rows = {row["case"]: row for row in csv.DictReader(stream)}
    report = json.loads((a_finished_batch.out / "anna" / "report.json").read_text(encoding="utf-8"))
    assert rows["anna"]["findings"] == str(len(report["findings"]))
    assert float(rows["anna"]["lesion_ml"]) == pytest.approx(report["lesion_ml"], abs=1e-3)
    assert rows["anna"]["model"].startswith("brain-mr") and float(rows["anna"]["seconds"]) > 0
    assert rows["cut off"]["state"] == "failed" and rows["cut off"]["message"]


def test_what_is_done_is_not_done_again_and_what_failed_is_tried_again(a_batch, an_earlier_batch):
    before = {path: path.stat().st_mtime_ns for path in (an_earlier_batch.out / "anna").iterdir()}
    states = a_batch.run(items_in_folder(an_earlier_batch.ward).items, an_earlier_batch.out)
    assert states == ["done before", "done before", "failed"]
    assert a_batch.lines == ["2 of 3 done, 1 failed"]
    assert {path: path.stat().st_mtime_ns for path in (an_earlier_batch.out / "anna").iterdir()} == before
    assert a_batch.rows[0].line == a_batch.rows[1].line == an_earlier_batch.batch.rows[0].line


def test_other_settings_never_overwrite_what_is_there(a_batch, an_earlier_batch):
    report = an_earlier_batch.out / "anna" / "report.json"
    before = report.read_bytes()
    items = items_in_folder(an_earlier_batch.ward).items[:1]
    assert a_batch.run(items, an_earlier_batch.out, Settings(mode="void")) == ["failed"]
    assert "is there already" in a_batch.rows[0].line
    assert report.read_bytes() == before
    assert a_batch.run(items, an_earlier_batch.out) == ["done before"]


def test_a_scan_that_changed_since_is_not_taken_for_done(a_batch, an_earlier_batch):
    os.utime(an_earlier_batch.ward / "anna.nii.gz")
    for _ in range(2):
        assert a_batch.run(items_in_folder(an_earlier_batch.ward).items[:1], an_earlier_batch.out) == ["failed"]


@pytest.mark.parametrize("state", ["running", "cancelled"])
def test_a_case_written_just_before_a_kill_or_a_cancel_counts_as_done(state, a_batch, an_earlier_batch):
    file = an_earlier_batch.out / "batch.json"
    journal = json.loads(file.read_text(encoding="utf-8"))
    journal["entries"][0] |= {"state": state, "findings": None}
    file.write_text(json.dumps(journal), encoding="utf-8")
    items = items_in_folder(an_earlier_batch.ward).items[:1]
    assert a_batch.run(items, an_earlier_batch.out) == ["done before"]


def test_a_case_whose_folder_was_removed_is_not_taken_for_done(an_earlier_batch):
    journal = Journal(an_earlier_batch.out)
    item = items_in_folder(an_earlier_batch.ward).items[0]
    entry = Entry(item.case, item.source, item.stamp, str(Settings().__dict__))
    assert journal.earlier(entry) is not None
    shutil.rmtree(an_earlier_batch.out / "anna")
    assert journal.earlier(entry) is None


def test_a_loaded_volume_and_the_case_store(a_batch, a_small_scan, a_case, an_engine, scene_host, tmp_path):
    matrix = np.array([[0, -2, 0, 20], [-2, 0, 0, 5], [0, 0, 2, -30], [0, 0, 0, 1.0]])
    node = new_volume(scene_host.scene, "sub-07_T2 Köpf: 1/2", a_small_scan, matrix)
    scene_host.scene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "labels")
    items = items_in_scene(scene_host)
    assert [item.source for item in items] == [
        a_case.nodes.image.GetName(),
        "sub-07_T2 Köpf: 1/2",
    ]  # no results, no labels
    before = scene_host.scene.GetNumberOfNodes()
    assert a_batch.run(items[1:], tmp_path / "out", into_store=True) == ["done"]
    assert scene_host.scene.GetNumberOfNodes() == before
    pseudo = nibabel.load(tmp_path / "out" / "sub-07_T2 Köpf_ 1_2" / "pseudo_normal.nii.gz")
    np.testing.assert_allclose(pseudo.affine, ijk_to_ras(node), atol=1e-4)
    assert pseudo.shape == a_small_scan.shape[::-1]
    stored = json.loads((tmp_path / "out" / "batch.json").read_text(encoding="utf-8"))["entries"][0]["store_case"]
    details = EngineClient(an_engine.url, an_engine.token).case(stored)
    assert {"image", "pseudo_normal", "wide_difference_z"} <= set(details.volumes)
    store = Store.open(an_engine.data.parent / "store")
    assert (details.info.contrast, store.case(stored).subject is None) == ("t2", False)
    store.close()


def test_a_volume_that_was_closed_meanwhile_fails_in_one_line(a_batch, a_volume_node, scene_host, tmp_path):
    items = items_in_scene(scene_host)
    scene_host.scene.RemoveNode(a_volume_node)
    assert a_batch.run(items, tmp_path / "out") == ["failed"]
    assert a_batch.rows[0].line == "scan: was closed meanwhile"


def test_cancelling_ends_the_engines_work_and_another_start_does_the_rest(a_batch, a_ward, an_engine, tmp_path):
    items = items_in_folder(a_ward).items[:1]
    out = tmp_path / "out"
    a_batch.changed.connect(lambda index: a_batch.rows[index].fraction > 0 and a_batch.cancel())
    assert a_batch.run(items, out) == ["cancelled"]
    assert a_batch.lines == ["0 of 1 done; cancelled"]
    client = EngineClient(an_engine.url, an_engine.token)
    until = time.monotonic() + 20
    while any(not job.finished for job in client.jobs()):
        assert time.monotonic() < until
        time.sleep(0.05)
    assert sorted(path.name for path in out.iterdir()) == ["batch.json", "summary.csv"]
    asked = []

    def an_engine_that_is_away_at_first():
        asked.append(1)
        if len(asked) < 3:
            raise Unreachable("No engine is running.")
        return client

    assert ABatch(an_engine_that_is_away_at_first).run(items, out) == ["done"]
    assert len(asked) == 3


def test_an_engine_that_stays_away_ends_the_batch_and_no_scan_is_blamed(a_ward, tmp_path, monkeypatch):
    monkeypatch.setattr("PseudoNormalLib.batch_case.PATIENCE_S", 0.1)
    monkeypatch.setattr("PseudoNormalLib.batch_case.RETRY_S", 0.05)

    def gone():
        raise Unreachable("No engine is running.")

    batch = ABatch(gone)
    states = batch.run(items_in_folder(a_ward).items, tmp_path / "out")
    assert set(states) <= {"waiting", "cancelled"}
    assert batch.lines == ["0 of 3 done; No engine is running."]


def test_a_store_is_asked_for_before_the_work_begins(a_ward, models_folder, tmp_path):
    with running_engine(models_folder, tmp_path / "data") as engine:
        batch = ABatch(lambda: EngineClient(engine.url, engine.token))
        states = batch.run(items_in_folder(a_ward).items[:1], tmp_path / "out", into_store=True)
    assert states == ["failed"] and "no case store" in batch.rows[0].line


def test_files_that_differ_in_their_endings_only_get_names_of_their_own(tmp_path):
    for name in ("a.nii.gz", "a.nii", "A.nrrd", "a:b.nii", " .mha"):
        (tmp_path / name).write_bytes(b"x")
    cases = [item.case for item in items_in_folder(tmp_path).items]
    assert len({case.lower() for case in cases}) == 5
    assert all(case == case.strip(" .") and case and ":" not in case for case in cases)


def test_a_journal_that_cannot_be_read_counts_as_empty(tmp_path):
    entry = Entry("case", "case.nii", "1/2", "{}")
    (tmp_path / "batch.json").write_text("{broken")
    assert Journal(tmp_path).earlier(entry) is None
    Journal(tmp_path).put(entry)
    (tmp_path / "case").mkdir()
    (tmp_path / "case" / "report.json").write_text("{}")
    assert Journal(tmp_path).earlier(entry) == entry
