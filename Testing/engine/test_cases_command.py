"""``pseudonormal cases``: what its users type and read."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import pytest
from Testing.store_clients import GRID, mask_number, write_scan

from pseudonormal.scan.nifti import read_nifti
from pseudonormal.scan.writing import write_image
from pseudonormal.store.priority import random_priority
from pseudonormal.store.store import Store


@pytest.fixture
def known_models() -> None:
    """None: a store needs no model, and making one takes long."""


@pytest.fixture
def cases(command: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable:
    """Runs ``pseudonormal cases`` on a store in tmp_path."""
    monkeypatch.setenv("PSEUDONORMAL_STORE", str(tmp_path / "store"))
    return lambda *arguments: command("cases", *arguments)


@pytest.fixture
def a_scan(tmp_path: Path) -> Path:
    write_scan(tmp_path / "scan.nii.gz")
    return tmp_path / "scan.nii.gz"


@pytest.fixture
def a_mask(tmp_path: Path) -> Path:
    write_image(mask_number(0), GRID, tmp_path / "mask.nii.gz")
    return tmp_path / "mask.nii.gz"


@pytest.fixture
def a_case(cases: Callable, a_scan: Path, a_mask: Path) -> str:
    return json.loads(cases("add", a_scan, "--mask", a_mask, "--json").out)["id"]


def test_from_adding_a_scan_to_accepting_its_mask(cases, a_scan, a_mask, tmp_path):
    said = cases("add", a_scan, "--mask", a_mask, "--subject", "someone", "--contrast", "T1w", "--priority", "2")
    assert (said.code, said.err) == (0, "")
    case = re.fullmatch(r"(case-\w{8}): added\n", said.out)[1]
    assert re.fullmatch(rf"{case}: yours until \d\d:\d\d UTC; lease \S+\n", cases("next", "--annotator", "Ann").out)
    assert cases("next", "--annotator", "Bob").out == "no case is waiting\n"
    refused = cases("accept", case, "--annotator", "Bob")
    assert (refused.code, len(refused.lines)) == (2, 1)
    assert f"{case}: Ann works on it until" in refused.err
    write_image(mask_number(1), GRID, tmp_path / "corrected.nrrd.nii.gz")
    said = cases(
        "accept", case, "--mask", tmp_path / "corrected.nrrd.nii.gz", "--annotator", "Ann", "--comment", "clear"
    )
    assert (said.code, re.fullmatch(rf"{case}: accepted as rev-\w{{12}}\n", said.out) is not None) == (0, True)
    assert cases("next", "--annotator", "Ann").out == "no case is waiting\n"
    shown = json.loads(cases("show", case, "--json").out)
    assert [revision["state"] for revision in shown["history"]] == ["seed", "accepted"]
    assert (shown["history"][1]["author"], shown["history"][1]["comment"]) == ("Ann", "clear")
    assert shown["case"]["leased_by"] is None
    store = Store.open(tmp_path / "store")
    kept = store.read_mask(case, store.mask_path(shown["case"]["head"]))
    np.testing.assert_array_equal(kept, mask_number(1))


def test_accepting_as_it_is_and_rejecting_keep_the_mask(cases, a_case, tmp_path):
    assert cases("accept", a_case, "--annotator", "Ann", "--state", "needs_second_reader").code == 0
    assert cases("reject", a_case, "--annotator", "Bob", "--comment", "[red]moved").code == 0
    assert "[red]moved" in cases("show", a_case).out
    store = Store.open(tmp_path / "store")
    assert store.case(a_case).status == "rejected"
    assert len({revision.mask_sha256 for revision in store.history(a_case)}) == 1
    assert [revision.author for revision in store.history(a_case)] == ["imported", "Ann", "Bob"]


def test_a_case_without_a_mask_can_be_rejected_not_accepted(cases, a_scan):
    case = json.loads(cases("add", a_scan, "--json").out)["id"]
    refused = cases("accept", case, "--annotator", "Ann")
    assert (refused.code, len(refused.lines)) == (2, 1)
    assert "give one with --mask" in refused.err
    assert json.loads(cases("reject", case, "--annotator", "Ann", "--json").out)["volume_ml"] == 0


def test_lists_for_people_and_for_programs(cases, a_case, a_scan):
    cases("add", a_scan, "--contrast", "FLAIR")
    assert a_case in cases("list").out
    listed = json.loads(cases("list", "--json", "--text", "flair").out)
    assert (listed["total"], listed["cases"][0]["contrast"]) == (1, "FLAIR")
    assert "1 of 2 cases" in cases("list", "--limit", "1").out
    assert json.loads(cases("list", "--status", "accepted", "--json").out) == {"cases": [], "total": 0}
    refused = cases("list", "--status", "gone")
    assert (refused.code, len(refused.lines)) == (2, 1)
    shown = cases("show", a_case).out
    assert a_case in shown
    assert "imported" in shown


def test_check_exits_2_with_a_line_for_each_error(cases, a_case, tmp_path):
    assert cases("check").out == "cases: 1; everything is in order\n"
    store = Store.open(tmp_path / "store")
    (tmp_path / "store" / "incoming" / "tmp1").mkdir()
    said = cases("check")
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("warning: tmp1: ")
    for path in (store.volume_path(a_case, "image"), store.mask_path(store.case(a_case).head)):
        path.write_bytes(b"")
    said = cases("check")
    assert (said.code, len(said.lines)) == (2, 2)
    assert all("has been changed" in line for line in said.lines)
    said = cases("check", "--json")
    assert (said.code, len(json.loads(said.out)["problems"])) == (2, 3)


def test_scans_that_cannot_be_used_are_named_and_the_others_added(cases, a_scan, tmp_path):
    (tmp_path / "bad.nii.gz").write_bytes(b"no")
    said = cases("add", tmp_path / "bad.nii.gz", a_scan)
    assert (said.code, len(said.lines)) == (2, 1)
    assert "bad.nii.gz" in said.err
    assert json.loads(cases("list", "--json").out)["total"] == 1
    refused = cases("add", a_scan, a_scan, "--mask", a_scan)
    assert (refused.code, len(refused.lines)) == (2, 1)


def test_of_a_4d_scan_one_volume_is_added_and_the_option_to_choose_it_is_there(cases, tmp_path):
    series = np.random.default_rng(0).integers(1, 100, (5, 6, 7, 3)).astype(np.int16)
    (tmp_path / "series").mkdir()
    nibabel.save(nibabel.Nifti1Image(series, np.diag((-1, -1, 1, 1))), tmp_path / "series" / "series.nii.gz")
    for said in (cases("add", tmp_path / "series" / "series.nii.gz"), cases("import", tmp_path / "series")):
        assert (said.code, len(said.lines)) == (2, 1)
        assert "choose one with --volume N (0 to 2)" in said.err
    case = json.loads(cases("add", tmp_path / "series" / "series.nii.gz", "--volume", "1", "--json").out)["id"]
    store = Store.open(tmp_path / "store")
    kept = read_nifti(store.volume_path(case, "image"), None).array
    np.testing.assert_array_equal(kept, series[..., 1].T)
    assert cases("import", tmp_path / "series", "--volume", "1").out == "cases added: 0\n"
    assert cases("import", tmp_path / "series", "--volume", "2").out == "cases added: 1\n"
    masked = cases("accept", case, "--annotator", "Ann", "--mask", tmp_path / "series" / "series.nii.gz")
    assert (masked.code, len(masked.lines)) == (2, 1)
    assert "--volume" not in masked.err


def test_cases_are_put_in_an_order_anew(cases, a_case, a_scan):
    late = json.loads(cases("add", a_scan, "--priority", "100", "--json").out)["id"]

    def in_turn():
        return [entry["id"] for entry in json.loads(cases("list", "--json").out)["cases"]]

    assert in_turn() == [late, a_case]
    assert cases("prioritise").out == "cases put in order: 2\n"
    assert in_turn() == [a_case, late]
    assert json.loads(cases("prioritise", "--by", "random", "--seed", "5", "--json").out) == {
        "cases": 2,
        "by": "random",
    }
    assert in_turn() == sorted((a_case, late), key=lambda case: -random_priority(case, 5))


def test_who_accepts_a_mask_as_it_is_takes_over_what_was_not_trusted(cases, a_case, tmp_path):
    store = Store.open(tmp_path / "store")
    believed = np.random.default_rng(0).random(GRID.shape).astype(np.float32)
    lease = store.lease(a_case, "Ann")
    store.add_revision(
        a_case, mask_number(1), lease=lease.token, state="draft", parent=lease.case.head, weights=believed
    )
    store.release(lease.token)
    accepted = json.loads(cases("accept", a_case, "--annotator", "Bob", "--json").out)["id"]
    np.testing.assert_array_equal(read_nifti(store.weights_path(accepted), None).array, believed)


@pytest.mark.parametrize(
    "what", [["list"], ["check"], ["prioritise"], ["next", "--annotator", "Ann"], ["show", "case-x"]]
)
def test_no_store_is_made_by_looking_for_one(cases, tmp_path, what):
    said = cases(*what)
    assert (said.code, len(said.lines)) == (2, 1)
    assert f"{tmp_path / 'store'}: there is no case store" in said.err
    assert not (tmp_path / "store").exists()


def test_folders_come_in_and_reviewed_masks_go_out(cases, tmp_path):
    for number in range(2):
        for folder, array in (("images", None), ("masks", mask_number(number))):
            path = tmp_path / folder / f"head{number}.nii.gz"
            path.parent.mkdir(exist_ok=True)
            if array is None:
                write_scan(path, number)
            else:
                write_image(array, GRID, path)
    said = cases("import", tmp_path / "images", "--masks", tmp_path / "masks")
    assert (said.code, said.out, said.err) == (0, "cases added: 2\n", "")
    assert cases("import", tmp_path / "images", "--masks", tmp_path / "masks").out == "cases added: 0\n"
    case, _ = (entry["id"] for entry in json.loads(cases("list", "--json").out)["cases"])
    first = json.loads(cases("accept", case, "--annotator", "Ann", "--json").out)
    write_image(mask_number(7), GRID, tmp_path / "other.nii.gz")
    second = json.loads(cases("accept", case, "--mask", tmp_path / "other.nii.gz", "--annotator", "Bob", "--json").out)
    compared = cases("compare", first["id"], second["id"])
    assert re.match(r"Dice 0\.\d{3}; ", compared.out)
    agreed = cases("consensus", case, first["id"], second["id"], "--annotator", "Ann", "--json")
    assert json.loads(agreed.out)["state"] == "consensus"
    assert cases("accept", case, "--annotator", "Ann").code == 0
    for layout in ("datalist", "bids", "cases"):
        said = cases("export", "-o", tmp_path / layout, "--as", layout)
        assert (said.code, said.err) == (0, "")
        assert Path(said.out.removeprefix("exported: ").strip()).exists()
