"""What ``check`` finds when someone else had a hand in the store."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from Testing.store_clients import GRID, mask_number, write_scan

from pseudonormal.scan.writing import write_image
from pseudonormal.store.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """One case with a seed, two further revisions and a known subject."""
    write_scan(tmp_path / "scan.nii.gz")
    write_image(mask_number(0), GRID, tmp_path / "mask.nii.gz")
    store = Store.open(tmp_path / "store")
    case = store.add_case(tmp_path / "scan.nii.gz", mask=tmp_path / "mask.nii.gz", subject="someone")
    lease, head = store.lease(case.id, "Ann"), case.head
    for number in (1, 2):
        revision = store.add_revision(
            case.id, mask_number(number), lease=lease.token, state="draft", parent=head, comment=f"no. {number}"
        )
        head = revision.id
    assert store.check() == []
    return store


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-20] ^= 1
    path.write_bytes(content)


def in_database(store: Store, *statements: str) -> None:
    """Do by force what the store never does."""
    with sqlite3.connect(store.folder / "cases.sqlite") as database:
        for name in ("update", "delete"):
            database.execute(f"DROP TRIGGER revisions_no_{name}")
        for statement in statements:
            database.execute(statement)


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda store, case: flip_a_bit(store.volume_path(case.id, "image")), "has been changed"),
        (lambda store, case: flip_a_bit(store.mask_path(case.head)), "has been changed"),
        (lambda store, case: store.mask_path(case.head).write_bytes(b""), "has been changed"),
        (lambda store, case: store.mask_path(case.head).unlink(), "is missing"),
        (lambda store, case: (store.folder / "secret").unlink(), "cannot be told"),
        (lambda store, case: in_database(store, "DELETE FROM revisions WHERE number = 2"), "revision 2 is missing"),
        (lambda store, case: in_database(store, "DELETE FROM revisions WHERE number = 2"), "names a row of revisions"),
        (
            lambda store, case: in_database(store, "UPDATE revisions SET parent = NULL WHERE number = 3"),
            "names None as its parent",
        ),
        (lambda store, case: in_database(store, "DELETE FROM volumes"), "has no image"),
        (
            lambda store, case: in_database(store, "UPDATE revisions SET mask_sha256 = '00' WHERE number = 2"),
            "its file 00 is missing",
        ),
    ],
)
def test_harm_is_an_error(store: Store, harm: Callable[..., object], words: str) -> None:
    (case,) = store.cases()[0]
    harm(store, case)
    errors = [problem for problem in store.check() if problem.severity == "error"]
    assert any(words in problem.message for problem in errors), errors
    assert all("\n" not in str(problem) for problem in errors)


def test_a_damaged_file_is_put_right_when_its_contents_come_again(store: Store) -> None:
    (case,) = store.cases()[0]
    flip_a_bit(store.mask_path(case.head))
    assert len(store.check()) == 1
    lease = store.lease(case.id, "Ann")
    store.add_revision(case.id, mask_number(2), lease=lease.token, state="draft", parent=case.head)
    assert store.check() == []


def test_a_file_that_nobody_names_is_a_warning(store: Store) -> None:
    stray = store.folder / "blobs" / "zz" / "notes.txt"
    stray.parent.mkdir()
    stray.write_text("mine")
    (problem,) = store.check()
    assert (problem.severity, problem.where) == ("warning", "notes.txt")
