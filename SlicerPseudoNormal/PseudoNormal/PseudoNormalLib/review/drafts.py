"""Saving an open case: every two seconds into the journal on this computer, every twenty into the store.

Both happen on worker threads. The journal's entry goes away once the store has what is in it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from PseudoNormalLib.engine.errors import Conflict, EngineError
from PseudoNormalLib.i18n import _
from PseudoNormalLib.review.place import Place, to_comment
from PseudoNormalLib.review.submitting import submit
from PseudoNormalLib.signals import Signal

if TYPE_CHECKING:
    from PseudoNormalLib.engine.background import Background
    from PseudoNormalLib.engine.jobs import EngineJobs
    from PseudoNormalLib.engine.replies import RevisionInfo
    from PseudoNormalLib.hosts import Host
    from PseudoNormalLib.review.journal import Entry, Journal
    from PseudoNormalLib.review.leases import LeaseKeeper

JOURNAL_SECONDS = 2.0
STORE_SECONDS = 20.0


@dataclass(frozen=True, eq=False)
class Work:
    """An open case at one moment.

    :param mask: (D, H, W) bool.
    :param distrusted: (D, H, W) bool, where nobody shall trust the mask.
    """

    mask: np.ndarray
    distrusted: np.ndarray
    place: Place

    def same(self, other: Work) -> bool:
        """Whether nothing at all has changed."""
        return self.place == other.place and self.same_voxels(other)

    def same_content(self, other: Work) -> bool:
        """Whether neither a voxel nor a decision has changed; looking around counts for nothing."""
        return self.place.decisions == other.place.decisions and self.same_voxels(other)

    def same_voxels(self, other: Work) -> bool:
        """Whether the masks, and what is not to be trusted of them, are equal voxel for voxel."""
        return _same(self.mask, other.mask) and _same(self.distrusted, other.distrusted)


class Drafts:
    """Saves what has changed since it was last saved.

    ``saved`` is emitted with the new revision; ``trouble`` with one line when saving failed and will be tried again;
    ``overtaken`` with one line, once, when somebody else has gone on with the case: the work stays in the journal.

    :param look: the case as it is now; called on the main thread.
    :param entry: the journal's entry for the case as it was opened.
    """

    def __init__(
        self,
        host: Host,
        background: Background,
        jobs: EngineJobs,
        journal: Journal,
        lease: LeaseKeeper,
        look: Callable[[], Work],
        entry: Entry,
        *,
        store_seconds: float = STORE_SECONDS,
    ) -> None:
        self.saved = Signal()
        self.trouble = Signal()
        self.overtaken = Signal()
        self._background = background
        self._jobs = jobs
        self._journal = journal
        self._lease = lease
        self._look = look
        self._entry = entry
        self._stored = self._noted = look()
        self._lock = threading.Lock()
        self._newest = 0
        self._sending = False
        self._lost = False
        self._waiting: list[Callable[[], None]] = []
        self._stops = [host.tick(self.note, JOURNAL_SECONDS), host.tick(self.save, store_seconds)]

    @property
    def parent(self) -> str | None:
        """The newest revision that this sitting knows of."""
        return self._entry.parent

    @property
    def unsaved(self) -> bool:
        """Whether the store lacks something that was done."""
        return self._sending or not self._look().same_content(self._stored)

    def note(self) -> None:
        """Have what has changed written into the journal."""
        work = self._look()
        if not work.same(self._noted):
            self._write(work, self._draft(work))

    def save(self) -> None:
        """Have what has changed saved as a draft revision."""
        self.note()
        work = self._look()
        if not self._sending and not self._lost and not work.same_content(self._stored):
            self._send(work, self._draft(work))

    def save_then(self, done: Callable[[], None]) -> None:
        """Have everything saved as far as possible now.

        :param done: called on the main thread when that has been tried; look at :attr:`unsaved`.
        """
        self._when_idle(lambda: self._save_then(done))

    def finish(self, state: str, comment: str, done: Callable[[], None]) -> None:
        """Save the last word about the case.

        :param state: ``accepted``, ``needs_second_reader`` or ``rejected``.
        :param done: called on the main thread once the store has it, not when that failed.
        """

        def begin() -> None:
            work = self._look()
            entry = replace(self._draft(work), state=state, comment=comment)
            self._write(work, entry)
            self._send(work, entry, done)

        self._when_idle(begin)

    def keep(self) -> None:
        """Write into the journal what the store lacks and return when it is on disk: the application is going away.

        :raises OSError: the journal cannot be written.
        """
        work = self._look()
        if not work.same(self._noted) or not work.same_content(self._stored):
            self._newest += 1
            self._put(self._draft(work), self._newest)

    def adopt(self, revision: RevisionInfo) -> None:
        """Go on from a revision that the store made itself, whose mask is on the screen by now.

        The store trusts all of it: what is not trusted here remains to be saved.
        """
        self._entry = replace(self._entry, parent=revision.id)
        work = self._look()
        self._stored = replace(work, distrusted=np.zeros_like(work.distrusted))

    def close(self) -> None:
        """Save no more; when the store lacks nothing, the journal has nothing to bring in either."""
        for stop in self._stops:
            stop()
        if not self.unsaved:
            self._forget()

    def _draft(self, work: Work) -> Entry:
        distrusted = work.distrusted if work.distrusted.any() else None
        return replace(self._entry, mask=work.mask, distrusted=distrusted, comment=to_comment(work.place))

    def _write(self, work: Work, entry: Entry) -> None:
        self._noted = work
        self._newest += 1
        number = self._newest
        self._background.run(lambda _: self._put(entry, number), failed=self._not_written)

    def _put(self, entry: Entry, number: int) -> None:
        """Write an entry unless a newer one is on its way: threads arrive in any order."""
        with self._lock:
            if number == self._newest:
                self._journal.put(entry)

    def _forget(self) -> None:
        self._newest += 1
        with self._lock:
            self._journal.remove(self._entry.sitting)

    def _send(self, work: Work, entry: Entry, done: Callable[[], None] | None = None) -> None:
        self._sending = True
        self._jobs.submit(
            lambda engine: self._lease.use(engine, lambda token: submit(engine, entry, token)),
            lambda revision: self._sent(revision, work, done),
            self._failed,
        )

    def _sent(self, revision: RevisionInfo, work: Work, done: Callable[[], None] | None) -> None:
        self._sending = False
        self._stored = work
        self._entry = replace(self._entry, parent=revision.id)
        if self._noted is work or self._look().same_content(work):
            self._forget()
        else:
            newest = self._look()  # what was done meanwhile stands on the new revision now
            self._write(newest, self._draft(newest))
        self.saved.emit(revision)
        if done:
            done()
        self._go_on()

    def _failed(self, error: EngineError) -> None:
        self._sending = False
        if isinstance(error, Conflict):
            self._lost = True
            self.overtaken.emit(str(error))
        else:
            self.trouble.emit(str(error))
        self._go_on()

    def _not_written(self, error: Exception) -> None:
        self._noted = self._stored
        self.trouble.emit(_("The work cannot be kept on this computer: {error}").format(error=error))

    def _save_then(self, done: Callable[[], None]) -> None:
        self.save()
        self._when_idle(done)

    def _when_idle(self, then: Callable[[], None]) -> None:
        """Now, or when what is being sent has arrived or failed."""
        if self._sending:
            self._waiting.append(then)
        else:
            then()

    def _go_on(self) -> None:
        while self._waiting and not self._sending:
            self._waiting.pop(0)()


def _same(one: np.ndarray, other: np.ndarray) -> bool:
    return one is other or np.array_equal(one, other)
