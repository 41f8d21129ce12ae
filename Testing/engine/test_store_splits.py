"""Splits: by subject, decided once, and fair to the few."""

from __future__ import annotations

import sqlite3
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from Testing.reviewed_cases import GEOMETRY, voxels

from pseudonormal.scan.writing import write_image
from pseudonormal.store.splits import SHARES, frozen_splits, planned_splits, with_new_subjects
from pseudonormal.store.store import Store

subjects = st.sets(st.text("abcdefgh", min_size=1, max_size=6), max_size=60)


@given(subjects, subjects, st.integers(0, 5))
def test_every_subject_gets_one_split_whoever_else_there_is(labelled, others, seed):
    others -= labelled
    found = with_new_subjects({}, (labelled, others), seed)
    assert set(found) == labelled | others
    assert set(found.values()) <= set(SHARES)
    assert found == with_new_subjects({}, (sorted(labelled), sorted(others, reverse=True)), seed)


@given(subjects, subjects, subjects, st.integers(0, 5))
def test_nobody_ever_moves(first, second, third, seed):
    before = with_new_subjects({}, (first, second - first), seed)
    known = first | second
    # some were labelled meanwhile, and new ones came
    after = with_new_subjects(before, (second, (known | third) - second), seed + 1)
    assert {subject: after[subject] for subject in before} == before
    assert set(after) == known | third


@given(st.integers(3, 60), st.integers(0, 5))
def test_three_labelled_subjects_are_enough_for_one_in_each_split_and_shares_are_kept(count, seed):
    found = Counter(with_new_subjects({}, ({f"s{n}" for n in range(count)},), seed).values())
    for split, share in SHARES.items():
        assert found[split] >= 1
        assert abs(found[split] - share * count) <= 2


def test_with_two_subjects_one_is_learnt_from_and_one_judges():
    assert sorted(with_new_subjects({}, ({"a", "b"},), 0).values()) == ["test", "train"]
    assert list(with_new_subjects({}, ({"a"},), 0).values()) == ["train"]


def test_a_few_unlabelled_subjects_are_all_learnt_from():
    assert set(with_new_subjects({}, (set(), {"a", "b"}), 0).values()) == {"train"}


def test_the_seed_decides_who_stands_where():
    people = {f"s{n}" for n in range(20)}
    assert with_new_subjects({}, (people,), 0) != with_new_subjects({}, (people,), 1)


def add(store: Store, folder: Path, seed: int, subject: str | None) -> str:
    scan = folder / f"{seed}.nii.gz"
    write_image(voxels(seed), GEOMETRY, scan)
    return store.add_case(scan, subject=subject).id


def test_splits_are_kept_in_the_store_for_good(reviewed, a_store: Store, tmp_path: Path):
    assert a_store.splits() == {}
    planned = planned_splits(a_store)
    assert a_store.splits() == {}  # planning keeps nothing
    kept = frozen_splits(a_store)
    assert kept == planned
    later = add(a_store, tmp_path, 50, None)
    a_store.close()
    again = frozen_splits(Store.open(tmp_path / "store"), seed=7)
    assert {subject: again[subject] for subject in kept} == kept
    assert set(again) - set(kept) == {later}  # who is not known stands for themselves


def test_all_scans_of_a_person_stand_in_one_split(reviewed, a_store: Store):
    splits = frozen_splits(a_store)
    of = {name: a_store.case(case_id) for name, case_id in reviewed.items()}
    assert of["accepted"].subject == of["again"].subject
    assert of["accepted"].subject in splits
    assert len(splits) == 6
    assert {splits[of[name].subject] for name in ("accepted", "drawing")} == {"train", "test"}


def test_whoever_freezes_first_decides(reviewed, a_store: Store, tmp_path: Path):
    other = Store.open(tmp_path / "store")
    first = a_store.freeze_splits(planned_splits(a_store, 0))
    assert other.freeze_splits(planned_splits(other, 3)) == first
    assert other.freeze_splits(dict.fromkeys(first, "test")) == first


def test_the_database_itself_refuses_to_move_a_subject(reviewed, a_store: Store):
    frozen_splits(a_store)
    with sqlite3.connect(a_store.folder / "cases.sqlite") as database:
        for statement in ("UPDATE splits SET split = 'test'", "DELETE FROM splits"):
            with pytest.raises(sqlite3.IntegrityError, match="splits are append-only"):
                database.execute(statement)


def test_a_store_of_before_gets_the_table(reviewed, a_store: Store, tmp_path: Path):
    a_store.close()
    with sqlite3.connect(tmp_path / "store" / "cases.sqlite") as database:
        for table in ("result_volumes", "results", "splits"):
            database.execute(f"DROP TABLE {table}")
        database.execute("ALTER TABLE leases DROP COLUMN sitting")
        database.execute("UPDATE alembic_version SET version_num = '0001'")
    store = Store.open(tmp_path / "store")
    assert len(frozen_splits(store)) == 6
    assert len(store.history(reviewed["drawing"])) == 3
