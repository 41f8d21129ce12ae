"""Synthetic cases in the store: marked for good, given to nobody, counted nowhere, learnt from."""

from __future__ import annotations

import nibabel
import numpy as np
import pytest
from Testing.lab import GEOMETRY, SHAPE, head, make_lab, review

from pseudonormal.errors import InputError
from pseudonormal.retraining import material as retraining_material
from pseudonormal.retraining.material import gather, survey
from pseudonormal.scan.synthetic import MARK
from pseudonormal.scan.writing import write_image
from pseudonormal.store.exchange import export_bids, export_cases, export_datalist
from pseudonormal.store.priority import prioritise
from pseudonormal.store.splits import planned_splits
from pseudonormal.store.store import Store


@pytest.fixture
def folder(tmp_path):
    return tmp_path


@pytest.fixture
def store(folder):
    opened = Store.open(make_lab(folder, lesions=3, sound=0, waiting=1).store)
    yield opened
    opened.close()


def made(store, folder, seed=70, *, lesion=True, mark=MARK, contrast="flair", **more):
    """A scan as ``pseudonormal synthesize`` writes it, in the store."""
    array, mask = head(seed, lesion=lesion)
    parts = {"image": array, "mask": mask, "foreground": array > 0, "normal": head(seed, lesion=False)[0]}
    for name, part in parts.items():
        write_image(part, GEOMETRY, folder / f"made_{name}.nii.gz", mark)
    volumes = {"foreground": folder / "made_foreground.nii.gz", "pseudo_normal": folder / "made_normal.nii.gz"}
    scan, drawn = folder / "made_image.nii.gz", folder / "made_mask.nii.gz"
    return store.add_case(scan, mask=drawn, volumes=volumes, subject="somebody", contrast=contrast, **more)


def test_a_file_says_by_itself_that_it_is_synthetic_and_its_copy_in_the_store_too(store, folder):
    case = made(store, folder)  # added like any other scan
    assert case.synthetic
    assert case.status == "synthetic"
    for name in store.volumes(case.id):
        header = nibabel.load(store.volume_path(case.id, name)).header
        assert bytes(header["descrip"]).decode().startswith("SYNTHETIC")
    assert not made(store, folder, 71, mark="somebody's scan").synthetic


def test_nobody_is_given_one_and_whatever_is_drawn_it_stays_one(store, folder):
    case = made(store, folder, synthetic=True)
    given = []
    while (lease := store.next_case("Ann")) is not None:
        given.append(lease.case.id)
    assert case.id not in given
    assert len(given) == 1
    for state in ("draft", "accepted", "needs_second_reader"):
        review(store, case.id, head(70)[1], state=state)
        assert store.case(case.id).status == "synthetic"
    assert [found.id for found in store.cases(status="synthetic")[0]] == [case.id]
    statuses = ("new", "draft", "accepted", "needs_second_reader", "rejected")
    assert case.id not in [found.id for status in statuses for found in store.cases(status=status)[0]]
    review(store, case.id, head(70)[1], state="rejected")
    assert [found.id for found in store.cases(status="rejected")[0]] == [case.id]
    assert store.cases(status="synthetic") == ([], 0)


def test_it_is_in_no_export_no_split_and_no_order(store, folder):
    before = planned_splits(store)
    case = made(store, folder, synthetic=True)
    review(store, case.id, head(70)[1])
    assert planned_splits(store) == before
    assert prioritise(store) == 4
    assert store.case(case.id).priority is None
    assert store.cases()[0][-1].id == case.id
    for number, export in enumerate((export_bids, export_cases, export_datalist)):
        out = folder / f"out{number}"
        export(store, out)
        assert any(out.rglob("*.nii.gz"))
        assert not [path for path in out.rglob("*") if case.id in path.name]


def test_it_is_learnt_from_with_all_that_was_made_with_it(store, folder):
    case = made(store, folder, synthetic=True)
    healthy = made(store, folder, 71, lesion=False, synthetic=True)
    found = gather(store, folder / "material")
    assert (found.survey.labelled, found.survey.unlabelled, found.survey.synthetic) == (3, 1, 2)
    assert sum(found.survey.subjects.values()) == 4
    of = {one.case: one for one in found.cases}
    assert all(one.synthetic == (one.case in (case.id, healthy.id)) for one in found.cases)
    assert of[case.id].split == "train"
    assert of[case.id].has_truth
    assert of[case.id].foreground == store.volume_path(case.id, "foreground").absolute()
    assert of[healthy.id].kind == "normal"
    assert found.fingerprint != gather(store, folder / "real alone", synthetic=False).fingerprint
    assert not any(one.synthetic for one in gather(store, folder / "again", synthetic=False).cases)


def test_a_corrected_mask_counts_a_rejected_scan_does_not(store, folder):
    case, other = (made(store, folder, seed, synthetic=True) for seed in (70, 71))
    newer = review(store, case.id, np.roll(head(70)[1], 2, axis=1))
    review(store, other.id, np.zeros(SHAPE, bool), state="rejected")
    of = {one.case: one for one in gather(store, folder / "material").cases}
    assert of[case.id].mask == store.mask_path(newer.id).absolute()
    assert other.id not in of


def test_a_training_takes_so_many_and_those_of_its_contrast(store, folder, monkeypatch):
    for seed in (70, 71, 72):
        made(store, folder, seed, synthetic=True)
    made(store, folder, 73, contrast="t1", synthetic=True)
    assert survey(store, contrast="flair").synthetic == 3
    assert "mixed" in survey(store).refusal
    monkeypatch.setattr(retraining_material, "MOST_SYNTHETIC", 2)
    assert survey(store, contrast="flair").synthetic == 2


def test_synthetic_scans_alone_are_nothing_to_learn_from(folder):
    store = Store.open(folder / "empty")
    made(store, folder, synthetic=True)
    with pytest.raises(InputError, match="no case is accepted"):
        gather(store, folder / "material")
