"""Many clients at once: nobody gets another's case, nobody's work is overwritten."""

from __future__ import annotations

import os
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import combinations
from pathlib import Path
from threading import Thread

from Testing.store_clients import Added, Held, mask_number, mixed_operations, open_and_count, said_by, start, write_scan

from pseudonormal.store.errors import Conflict
from pseudonormal.store.store import Store

# The full measure: PSEUDONORMAL_OPERATIONS=200
OPERATIONS = int(os.environ.get("PSEUDONORMAL_OPERATIONS", "40"))
CLIENTS = 8
CASES = 10
LEASE_TIME = timedelta(seconds=0.15)


def test_8_clients_at_once_share_no_lease_and_lose_no_update(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "store")
    for number in range(CASES):
        write_scan(tmp_path / "scan.nii.gz", number)
        store.add_case(tmp_path / "scan.nii.gz", priority=number)
    clients = [
        start(mixed_operations, tmp_path / "store", f"client {n}", n, OPERATIONS, LEASE_TIME) for n in range(CLIENTS)
    ]
    assert [connection.recv() for _, connection in clients] == ["ready"] * CLIENTS
    for _, connection in clients:
        connection.send("go")
    said = [entry for _, connection in clients for entry in said_by(connection)]
    for process, _ in clients:
        process.join()
        assert process.exitcode == 0
    assert [entry for entry in said if isinstance(entry, str) and entry.startswith("unexpected")] == []
    _nobody_shared([entry for entry in said if isinstance(entry, Held)])
    _nothing_lost(store, [entry for entry in said if isinstance(entry, Added)])
    # A save that is refused at the last moment, when its file is written already, leaves that file: no harm.
    assert {problem.severity for problem in store.check()} <= {"warning"}
    assert {entry for entry in said if isinstance(entry, str)}, "they never got in each other's way"


def _nobody_shared(leases: list[Held]) -> None:
    by_case = defaultdict(list)
    for held in leases:
        by_case[held.case_id].append(held)
    assert len({held.client for held in leases}) > CLIENTS // 2
    for case in by_case.values():
        for one, other in combinations(case, 2):
            apart = one.end <= other.begin or other.end <= one.begin
            assert one.client == other.client or apart, f"{one} and {other}"


def _nothing_lost(store: Store, added: list[Added]) -> None:
    """What the store said it added is what it has: one line of revisions a case, each made from the one before."""
    assert len(added) > CLIENTS // 2
    kept = {}
    for case in store.cases()[0]:
        history = store.history(case.id)
        assert [revision.parent for revision in history] == [None, *(revision.id for revision in history)][:-1]
        kept |= {revision.id: (case.id, revision.parent) for revision in history}
    assert kept == {entry.revision: (entry.case_id, entry.parent) for entry in added}


def test_of_8_revisions_made_from_one_parent_at_once_one_is_added(tmp_path: Path) -> None:
    write_scan(tmp_path / "scan.nii.gz")
    store = Store.open(tmp_path / "store")
    case = store.add_case(tmp_path / "scan.nii.gz")
    lease = store.lease(case.id, "Ann").token

    def add(number: int) -> str | None:
        try:
            return store.add_revision(case.id, mask_number(number), lease=lease, state="draft", parent=None).id
        except Conflict:
            return None

    with ThreadPoolExecutor(CLIENTS) as pool:
        added = [revision for revision in pool.map(add, range(CLIENTS)) if revision is not None]
    assert [revision.id for revision in store.history(case.id)] == added
    assert len(added) == 1


def test_8_processes_may_make_the_same_store_at_once(tmp_path: Path) -> None:
    clients = [start(open_and_count, tmp_path / "store") for _ in range(CLIENTS)]
    assert [said_by(connection) for _, connection in clients] == [[0]] * CLIENTS


def test_the_threads_of_a_process_share_one_store(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "store")
    for number in range(6):
        write_scan(tmp_path / "scan.nii.gz", number)
        store.add_case(tmp_path / "scan.nii.gz")
    taken: list[str] = []

    def take(annotator: str) -> None:
        while (lease := store.next_case(annotator)) is not None:
            taken.append(lease.case.id)

    threads = [Thread(target=take, args=(f"annotator {n}",)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == sorted(case.id for case in store.cases()[0])
