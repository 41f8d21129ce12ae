"""What leaves the case store to be learnt from: lists of reviewed masks."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from Testing.reviewed_cases import SHAPE, lesion, voxels

from pseudonormal.cases import read_cases
from pseudonormal.scan.nifti import read_nifti
from pseudonormal.scan.reading import read_mask, read_scan
from pseudonormal.store.exchange import export_cases, export_datalist
from pseudonormal.store.reviewed import split_of
from pseudonormal.store.store import Store


def test_a_datalist_has_the_accepted_masks_voxel_for_voxel(
    a_store: Store, reviewed: dict[str, str], tmp_path: Path
) -> None:
    from monai.data import load_decathlon_datalist

    path = export_datalist(a_store, tmp_path / "out")
    entries = [
        entry
        for split in ("training", "validation")
        for entry in load_decathlon_datalist(path, is_segmentation=True, data_list_key=split)
    ]
    by_case = {entry["case"]: entry for entry in entries}
    assert sorted(by_case) == sorted(reviewed[name] for name in ("accepted", "again", "empty", "drawing"))
    for seed, name in enumerate(reviewed):
        if reviewed[name] in by_case:
            entry = by_case[reviewed[name]]
            np.testing.assert_array_equal(read_nifti(Path(entry["image"]), None).array, voxels(seed))
            expected = np.zeros(SHAPE, bool) if name == "empty" else lesion(seed)
            np.testing.assert_array_equal(read_nifti(Path(entry["label"]), None).array > 0, expected)
            assert a_store.revision(entry["revision"]).state == "accepted"


def test_paths_in_a_datalist_are_relative_to_it(a_store: Store, reviewed: dict[str, str], tmp_path: Path) -> None:
    path = export_datalist(a_store, tmp_path / "out")
    lists = json.loads(path.read_text(encoding="utf-8"))
    for entry in lists["training"] + lists["validation"]:
        assert (path.parent / entry["image"]).is_file()
        assert not Path(entry["label"]).is_absolute()


def test_all_scans_of_a_subject_stand_in_one_split_that_never_changes(
    a_store: Store, reviewed: dict[str, str], tmp_path: Path
) -> None:
    lists = json.loads(export_datalist(a_store, tmp_path / "out").read_text(encoding="utf-8"))
    subjects = [{entry["subject"] for entry in lists[split]} for split in ("training", "validation")]
    assert not subjects[0] & subjects[1]
    many = [split_of(f"subject-{n}") for n in range(1000)]
    assert 150 < many.count("validation") < 250
    assert many == [split_of(f"subject-{n}") for n in range(1000)]


def test_weights_of_a_revision_go_along(a_store: Store, reviewed: dict[str, str], tmp_path: Path) -> None:
    case = reviewed["waiting"]
    weights = np.ones(SHAPE, np.float32)
    weights[:3] = 0
    lease = a_store.lease(case, "eva").token
    a_store.add_revision(case, lesion(0), lease=lease, state="accepted", parent=None, weights=weights)
    lists = json.loads(export_datalist(a_store, tmp_path / "out").read_text(encoding="utf-8"))
    (entry,) = (entry for split in ("training", "validation") for entry in lists[split] if entry["case"] == case)
    np.testing.assert_array_equal(read_nifti(tmp_path / "out" / entry["weight"], None).array, weights)


def test_other_states_are_exported_when_asked_for(a_store: Store, reviewed: dict[str, str], tmp_path: Path) -> None:
    lists = json.loads(
        export_datalist(a_store, tmp_path / "out", states=("draft", "needs_second_reader")).read_text(encoding="utf-8")
    )
    found = {entry["case"]: entry["state"] for split in ("training", "validation") for entry in lists[split]}
    assert found == {reviewed["doubted"]: "needs_second_reader", reviewed["drawing"]: "draft"}


def test_the_list_of_cases_is_one_that_training_reads(a_store: Store, reviewed: dict[str, str], tmp_path: Path) -> None:
    cases = {case.case: case for case in read_cases(export_cases(a_store, tmp_path / "out"))}
    accepted = cases[reviewed["accepted"]]
    assert accepted.kind == "labelled"
    assert accepted.image is not None and accepted.mask is not None
    np.testing.assert_array_equal(read_mask(accepted.mask, read_scan(accepted.image))[0], lesion(0))
    assert accepted.subject == cases[reviewed["again"]].subject
    assert cases[reviewed["empty"]].kind == "normal"
    assert accepted.extra["contrast"] == "flair"
    assert a_store.revision(accepted.extra["revision"]).case_id == reviewed["accepted"]
