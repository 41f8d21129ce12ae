"""From a case store to what a training learns from, chooses numbers on and is judged by."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from Testing.lab import GEOMETRY, SHAPE, Lab, head, make_lab, review

from pseudonormal.cases import read_cases
from pseudonormal.errors import InputError
from pseudonormal.retraining.material import gather, read_material, survey
from pseudonormal.scan.nifti import read_nifti
from pseudonormal.scan.writing import write_image
from pseudonormal.store.store import Store


@pytest.fixture(scope="module")
def a_lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return make_lab(tmp_path_factory.mktemp("lab"))


@pytest.fixture
def an_empty_store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "store")


def add(store: Store, folder: Path, seed: int, contrast: str = "flair", **more) -> str:
    write_image(head(seed)[0], GEOMETRY, folder / "scan.nii.gz")
    return store.add_case(folder / "scan.nii.gz", contrast=contrast, **more).id


def test_accepted_cases_are_labelled_and_all_others_are_not(a_lab: Lab, tmp_path: Path):
    material = gather(Store.open(a_lab.store), tmp_path / "material")
    of = {case.case: case for case in material.cases}
    kinds = {name: of[case_id].kind for name, case_id in a_lab.cases.items()}
    assert kinds == {
        **{f"lesion{n}": "labelled" for n in range(4)},
        "sound0": "normal",
        **{f"waiting{n}": "unlabelled" for n in range(2)},
    }
    found = material.survey
    assert (found.labelled, found.unlabelled, found.weighted) == (5, 2, 1)
    assert sum(found.subjects.values()) == 7
    assert min(found.subjects.values()) >= 1
    # what a reviewer does not trust comes along, and a mask that nobody has reviewed says where it may be diseased
    first, waiting = of[a_lab.cases["lesion0"]], of[a_lab.cases["waiting0"]]
    assert read_nifti(Path(first.extra["weight"]), None).array[40:].max() == 0
    assert read_nifti(Path(waiting.extra["doubtful"]), None).array.any()
    assert not of[a_lab.cases["waiting1"]].extra["doubtful"]
    assert {case.extra["contrast"] for case in material.cases} == {"flair"}


def test_the_list_can_be_read_again_and_by_every_other_command(a_lab: Lab, tmp_path: Path):
    material = gather(Store.open(a_lab.store), tmp_path / "material")
    again = read_material(tmp_path / "material")
    assert again == material
    assert read_cases(tmp_path / "material" / "cases.csv") == list(material.cases)
    (tmp_path / "material" / "material.json").unlink()
    with pytest.raises(InputError, match="begin the run anew"):
        read_material(tmp_path / "material")


def test_the_newest_accepted_mask_counts_and_the_fingerprint_tells_it(tmp_path: Path):
    lab = make_lab(tmp_path, lesions=1, sound=0, waiting=0)
    store = Store.open(lab.store)
    first = gather(store, tmp_path / "first")
    assert gather(store, tmp_path / "again").fingerprint == first.fingerprint
    newer = review(store, lab.cases["lesion0"], np.roll(head(0)[1], 2, axis=1))
    drawing = review(store, lab.cases["lesion0"], np.roll(head(0)[1], 4, axis=1), state="draft")
    assert drawing.number > newer.number
    second = gather(store, tmp_path / "second")
    assert second.fingerprint != first.fingerprint
    (case,) = second.cases
    assert case.mask == store.mask_path(newer.id)


def test_rejected_cases_teach_nothing(tmp_path: Path):
    lab = make_lab(tmp_path, lesions=1, sound=0, waiting=1)
    store = Store.open(lab.store)
    review(store, lab.cases["waiting0"], np.zeros(SHAPE, bool), state="rejected")
    assert (survey(store).labelled, survey(store).unlabelled) == (1, 0)


def test_no_subject_is_ever_in_two_splits_and_none_moves_when_cases_come(tmp_path: Path):
    store = Store.open(make_lab(tmp_path).store)
    before = {case.subject: case.split for case in gather(store, tmp_path / "before").cases}
    add(store, tmp_path, 0, subject="lesion0")  # a second scan of a known person
    add(store, tmp_path, 50, subject="somebody new")
    rows = list(csv.DictReader(gather_rows(store, tmp_path / "after")))
    after: dict[str, set[str]] = {}
    for row in rows:
        after.setdefault(row["subject"], set()).add(row["split"])
    assert all(len(splits) == 1 for splits in after.values())
    assert {subject: {split} for subject, split in before.items()}.items() <= after.items()
    assert len(after) == len(before) + 1


def gather_rows(store: Store, folder: Path) -> list[str]:
    gather(store, folder)
    return (folder / "cases.csv").read_text(encoding="utf-8").splitlines()


def refused(store: Store, folder: Path, contrast: str = "") -> str:
    with pytest.raises(InputError) as refusal:
        gather(store, folder / "material", contrast=contrast)
    assert not (folder / "material").exists()
    assert store.splits() == {}  # nothing is decided by a training that never began
    line = str(refusal.value)
    assert "\n" not in line
    assert survey(store, contrast=contrast).refusal in line
    return line


def test_without_an_accepted_case_there_is_nothing_to_learn_from(an_empty_store: Store, tmp_path: Path):
    assert "no case is accepted" in refused(an_empty_store, tmp_path)
    case = add(an_empty_store, tmp_path, 0)
    assert "no case is accepted" in refused(an_empty_store, tmp_path)
    review(an_empty_store, case, np.zeros(SHAPE, bool), state="draft")  # empty, and nobody said that this is right
    assert "no case is accepted" in refused(an_empty_store, tmp_path)
    review(an_empty_store, case, np.zeros(SHAPE, bool))
    assert "no accepted case shows a lesion" in refused(an_empty_store, tmp_path)


def test_scans_of_unlike_contrast_are_not_mixed_unasked(tmp_path: Path):
    lab = make_lab(tmp_path, lesions=3, sound=0, waiting=0, contrast="FLAIR")
    store = Store.open(lab.store)
    add(store, tmp_path, 20, contrast="T1w")
    line = refused(store, tmp_path)
    assert "flair (3), t1 (1)" in line
    assert "--contrast flair" in line
    assert "no case of contrast t1 is accepted" in refused(store, tmp_path, "t1")
    assert len(gather(store, tmp_path / "flair", contrast="flair").cases) == 3
    mixed = gather(store, tmp_path / "any", contrast="any").cases
    assert sorted(case.extra["contrast"] for case in mixed) == ["flair", "flair", "flair", "t1"]


def test_weights_that_are_the_same_everywhere_say_nothing_or_that_nothing_counts(tmp_path: Path):
    lab = make_lab(tmp_path, lesions=3, sound=0, waiting=0)
    store = Store.open(lab.store)
    for name, weight in (("lesion1", 1), ("lesion2", 0)):
        review(store, lab.cases[name], head(0)[1], weights=np.full(SHAPE, weight, np.float32))
    of = {case.case: case for case in gather(store, tmp_path / "material").cases}
    assert of[lab.cases["lesion0"]].extra["weight"]
    assert of[lab.cases["lesion1"]].kind == "labelled"
    assert not of[lab.cases["lesion1"]].extra["weight"]
    assert of[lab.cases["lesion2"]].kind == "unlabelled"


def test_scans_whose_contrast_nobody_told_do_not_hinder(tmp_path: Path):
    lab = make_lab(tmp_path, lesions=1, sound=0, waiting=0)
    store = Store.open(lab.store)
    add(store, tmp_path, 20, contrast="")
    add(store, tmp_path, 21, contrast="flair")
    assert len(gather(store, tmp_path / "material").cases) == 3


def test_what_is_too_little_to_tell_anything_is_said_beforehand(tmp_path: Path):
    lab = make_lab(tmp_path, lesions=2, sound=0, waiting=0)
    hints = survey(Store.open(lab.store)).problems
    assert any("only 1 labelled subject(s) to learn from" in hint for hint in hints)
    assert any("thresholds" in hint and "parent" in hint for hint in hints)
    assert any("1 labelled subject(s) kept aside to judge, and 3 are needed" in hint for hint in hints)
