"""A writer that is killed at any moment has added whole revisions or none."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest
from Testing.store_clients import accept_forever, mask_number, said_by, start, write_scan

from pseudonormal.store.store import Store

# The full measure: PSEUDONORMAL_KILLS=100
KILLS = int(os.environ.get("PSEUDONORMAL_KILLS", "25"))


def test_kill_9_while_accepting_loses_nothing_and_halves_nothing(tmp_path: Path) -> None:
    write_scan(tmp_path / "scan.nii.gz")
    store = Store.open(tmp_path / "store")
    case = store.add_case(tmp_path / "scan.nii.gz")
    rng = np.random.default_rng(0)
    accepted: dict[str, int] = {}
    for _ in range(KILLS):
        writer, said = start(accept_forever, tmp_path / "store", case.id)
        assert said.recv() == "ready"
        began, whole = time.perf_counter(), int(rng.integers(1, 3))
        accepted |= dict(said.recv() for _ in range(whole))
        takes = (time.perf_counter() - began) / whole
        time.sleep(rng.uniform(0, takes))  # into the middle of the next one
        assert writer.is_alive()
        writer.kill()
        writer.join()
        accepted |= dict(said_by(said))
        assert [problem for problem in store.check() if problem.severity == "error"] == []
        history = store.history(case.id)
        assert {revision.id for revision in history} >= accepted.keys()
        assert [revision.number for revision in history] == list(range(1, len(history) + 1))
    for revision in store.history(case.id):
        stored = store.read_mask(case.id, store.mask_path(revision.id))
        assert np.array_equal(stored, mask_number(revision.number))
        assert revision.comment == f"number {revision.number}"
        assert accepted.get(revision.id, revision.number) == revision.number


def test_what_killed_writers_leave_behind_is_swept_a_day_later(tmp_path: Path) -> None:
    Store.open(tmp_path / "store")
    old, young = (tmp_path / "store" / "incoming" / name for name in ("old", "young"))
    for folder in (old, young):
        folder.mkdir()
        (folder / "new.nii.gz").write_bytes(b"half")
    unfinished = tmp_path / "store" / "blobs" / "ab" / ".0123456789ab.part"
    unfinished.parent.mkdir()
    unfinished.write_bytes(b"half")
    long_ago = time.time() - 2 * 24 * 3600
    os.utime(old, (long_ago, long_ago))
    os.utime(unfinished, (long_ago, long_ago))
    store = Store.open(tmp_path / "store")
    assert not old.exists()
    assert not unfinished.exists()
    assert [(problem.severity, problem.where) for problem in store.check()] == [("warning", "young")]


@pytest.mark.parametrize("left", ["blobs/ab/.0123456789ab.part", "incoming/tmpabc/new.nii.gz"])
def test_a_file_under_way_is_a_warning_not_an_error(tmp_path: Path, left: str) -> None:
    store = Store.open(tmp_path / "store")
    path = tmp_path / "store" / left
    path.parent.mkdir(parents=True)
    path.write_bytes(b"half")
    assert [problem.severity for problem in store.check()] == ["warning"]
