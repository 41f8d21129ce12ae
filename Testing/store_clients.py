"""Clients of a case store that tests run as processes of their own: to be killed, and to get in each other's way."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import numpy as np

from pseudonormal.errors import InputError
from pseudonormal.scan.scan import Geometry
from pseudonormal.scan.writing import write_image
from pseudonormal.store.errors import Conflict, Leased, LeaseExpired
from pseudonormal.store.store import LeaseRecord, Store

GRID = Geometry((14, 12, 10), (1.0, 1.5, 2.0), (-30.0, 20.0, 5.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))

# Processes start from one that has the libraries loaded already: in milliseconds, and without anything of the test's.
_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["pseudonormal.store.store", "pseudonormal.scan.writing"])


def write_scan(path: Path, seed: int = 0) -> np.ndarray:
    """A small int16 scan of noise; returns its array (D, H, W)."""
    array = np.random.default_rng(seed).integers(0, 1000, GRID.shape).astype(np.int16)
    write_image(array, GRID, path)
    return array


def mask_number(number: int) -> np.ndarray:
    """The mask that a client draws as the case's revision of this number, (D, H, W)."""
    return np.random.default_rng(number).random(GRID.shape) > 0.7


def start(work: Callable[..., None], *arguments: Any) -> tuple[BaseProcess, Connection]:
    """Run ``work(connection, *arguments)`` in a process; returns it and the other end of the connection."""
    here, there = _context.Pipe()
    process = _context.Process(target=work, args=(there, *arguments), daemon=True)
    process.start()
    there.close()
    return process, here


def said_by(connection: Connection) -> list[Any]:
    """All that a process said until its end."""
    said = []
    while True:
        try:
            said.append(connection.recv())
        except (EOFError, OSError):
            return said


def accept_forever(connection: Connection, folder: Path, case_id: str) -> None:
    """Accept one mask after the other, saying each revision's id and number once it is accepted."""
    store = Store.open(folder)
    lease = store.lease(case_id, "writer")
    head, number = lease.case.head, lease.case.revisions
    connection.send("ready")
    while True:
        number += 1
        revision = store.add_revision(
            case_id, mask_number(number), lease=lease.token, state="accepted", parent=head, comment=f"number {number}"
        )
        head = revision.id
        connection.send((revision.id, revision.number))


def open_and_count(connection: Connection, folder: Path) -> None:
    """Open a store, perhaps for the first time, and say how many cases it holds."""
    connection.send(Store.open(folder).cases()[1])


@dataclass(frozen=True)
class Held:
    """A case was surely this client's from one moment to another (seconds since 1970)."""

    case_id: str
    client: str
    begin: float
    end: float


@dataclass(frozen=True)
class Added:
    """A revision that the store said it had added."""

    case_id: str
    revision: str
    parent: str | None


def mixed_operations(
    connection: Connection, folder: Path, client: str, seed: int, count: int, lease_time: timedelta
) -> None:
    """Once told to, do whatever annotators do, at random; say what succeeded and how often others came first."""
    annotator = _Annotator(connection, Store.open(folder, lease_time=lease_time), client, seed)
    connection.send("ready")
    connection.recv()
    annotator.work(count)


class _Annotator:
    def __init__(self, connection: Connection, store: Store, client: str, seed: int) -> None:
        self._say, self._store, self._client = connection.send, store, client
        self._rng = np.random.default_rng(seed)
        self._lease: LeaseRecord | None = None
        self._since = 0.0
        self._head: str | None = None

    def work(self, count: int) -> None:
        operations: Sequence[Callable[[], None]] = (
            self._next,
            self._take,
            self._add,
            self._add,
            self._add_to_stale,
            self._renew,
            self._give_back,
            self._vanish,
            self._look,
            self._prioritise,
        )
        for _ in range(count):
            time.sleep(self._rng.uniform(0, 0.01))
            try:
                operations[self._rng.integers(len(operations))]()
            except (Conflict, Leased, LeaseExpired) as error:
                self._say(type(error).__name__)
                if isinstance(error, LeaseExpired):
                    self._end(time.time())
            except InputError as error:
                self._say(f"unexpected: {error}")
        self._end(time.time())

    def _hold(self, lease: LeaseRecord | None) -> None:
        if lease is not None:
            self._lease, self._since, self._head = lease, time.time(), lease.case.head

    def _end(self, now: float) -> None:
        """The lease is over, or about to be: what was surely ours ends here or when it expired."""
        if self._lease is not None:
            until = min(now, self._lease.expires.timestamp())
            self._say(Held(self._lease.case.id, self._client, self._since, until))
            self._lease = None

    def _next(self) -> None:
        self._vanish()
        self._hold(self._store.next_case(self._client))

    def _take(self) -> None:
        self._vanish()
        cases, _ = self._store.cases()
        self._hold(self._store.lease(cases[self._rng.integers(len(cases))].id, self._client))

    def _add(self, parent: str | None = None) -> None:
        if self._lease is None:
            return
        case_id, parent = self._lease.case.id, parent or self._head
        state = ("draft", "accepted", "needs_second_reader")[self._rng.integers(3)]
        mask = self._rng.random(GRID.shape) > 0.8
        revision = self._store.add_revision(case_id, mask, lease=self._lease.token, state=state, parent=parent)
        self._head = revision.id
        self._say(Added(case_id, revision.id, parent))

    def _add_to_stale(self) -> None:
        """As a window does that was left open while another one of the same annotator went on."""
        history = self._store.history(self._lease.case.id) if self._lease is not None else []
        if history:
            self._add(history[self._rng.integers(len(history))].id)

    def _renew(self) -> None:
        if self._lease is not None:
            before = self._lease
            renewed = self._store.renew(before.token)
            self._say(Held(before.case.id, self._client, self._since, min(time.time(), before.expires.timestamp())))
            self._lease, self._since = renewed, time.time()

    def _give_back(self) -> None:
        if self._lease is not None:
            token = self._lease.token
            self._end(time.time())
            self._store.release(token)

    def _vanish(self) -> None:
        """Forget the lease without a word; the store has to wait until it expires."""
        self._end(time.time())

    def _look(self) -> None:
        self._store.cases(text="case", limit=5)

    def _prioritise(self) -> None:
        cases, _ = self._store.cases()
        self._store.set_priority(cases[0].id, float(self._rng.random()))
