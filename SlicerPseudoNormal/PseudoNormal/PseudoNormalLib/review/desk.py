"""The annotator's desk: at most one case lies on it; what an earlier sitting left behind is brought in first."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PseudoNormalLib.engine.errors import Conflict, EngineError, Refused, Unknown
from PseudoNormalLib.review.drafts import STORE_SECONDS
from PseudoNormalLib.review.leases import RENEW_SECONDS, Holder
from PseudoNormalLib.review.opening import OpenCase, fetch
from PseudoNormalLib.review.session import HistoryOf, ReviewSession
from PseudoNormalLib.review.submitting import submit_left_behind
from PseudoNormalLib.signals import Signal

if TYPE_CHECKING:
    from PseudoNormalLib.engine.background import Background
    from PseudoNormalLib.engine.client import EngineClient
    from PseudoNormalLib.engine.jobs import EngineJobs
    from PseudoNormalLib.engine.replies import Lease
    from PseudoNormalLib.hosts import Host
    from PseudoNormalLib.review.journal import Journal


class ReviewDesk:
    """Opens cases, one at a time, and puts them away.

    ``opened`` is emitted with the :class:`ReviewSession`, ``closing`` when it is being put away, ``closed`` when it
    is; ``empty`` when no case is left to be given out; ``failed`` with one line when a case could not be opened;
    ``recovered`` with the ids of cases whose left-behind work the store has now.

    :ivar history_of: see :data:`PseudoNormalLib.review.session.HistoryOf`.
    :ivar session: the case that is open.
    :ivar opening: whether one is on its way.
    """

    def __init__(
        self,
        host: Host,
        background: Background,
        jobs: EngineJobs,
        journal: Journal,
        *,
        store_seconds: float = STORE_SECONDS,
        renew_seconds: float = RENEW_SECONDS,
    ) -> None:
        self.opened = Signal()
        self.closing = Signal()
        self.closed = Signal()
        self.empty = Signal()
        self.failed = Signal()
        self.recovered = Signal()
        self.history_of: HistoryOf | None = None
        self.session: ReviewSession | None = None
        self._leaving: ReviewSession | None = None
        self._waiting: list[Callable[[], None]] = []
        self.opening = False
        self._host = host
        self._background = background
        self._jobs = jobs
        self._journal = journal
        self._seconds = {"store_seconds": store_seconds, "renew_seconds": renew_seconds}

    def open_next(self, annotator: str) -> None:
        """Put away the case that is open and open the one that comes next."""
        self._open(annotator, Holder.take_next)

    def open(self, case: str, annotator: str) -> None:
        """Put away the case that is open and open this one."""
        self._open(annotator, lambda holder, engine: holder.take(engine, case))

    def finish(self, state: str, comment: str, then: Callable[[], None] | None = None) -> None:
        """Say the last word about the open case, and put it away once the store has it.

        :param state: ``accepted``, ``needs_second_reader`` or ``rejected``.
        """
        if self.session is not None:
            self.session.finish(state, comment, lambda: self.close(then))

    def close(self, then: Callable[[], None] | None = None) -> None:
        """Put away the case that is open, if there is one."""
        if self._leaving is not None and then:
            self._waiting.append(then)  # the case that is being put away may be the one that is wanted
            return
        if self.session is None:
            if then:
                then()
            return
        session = self._leaving = self.session
        self.session = None
        self.closing.emit()

        def away() -> None:
            self._leaving = None
            self.closed.emit()
            waiting, self._waiting = self._waiting, []
            for each in (then, *waiting):
                if each:
                    each()

        session.close(away)

    def keep(self) -> None:
        """The application is going away: what is unsaved is on disk on this computer when this returns.

        :raises OSError: that is not possible.
        """
        for session in (self.session, self._leaving):
            if session is not None:
                session.keep()

    def recover(self) -> None:
        """Bring into the store what earlier sittings left on this computer, while no case is open."""
        if self.session is None and not self.opening:  # a case that is open is leased already
            self._jobs.submit(self._recover, self._recovered, lambda _: None)

    def _open(self, annotator: str, lease_of: Callable[[Holder, EngineClient], Lease | None]) -> None:
        if self.opening:
            return
        self.opening = True
        self.close(lambda: self._bring(annotator, lease_of))

    def _bring(self, annotator: str, lease_of: Callable[[Holder, EngineClient], Lease | None]) -> None:
        try:
            holder = self._begin(annotator)
        except OSError as error:
            self._not_opened(error)
            return

        def bring(engine: EngineClient) -> OpenCase | None:
            lease = lease_of(holder, engine)
            if lease is None:
                return None
            try:
                return fetch(engine, self._journal, lease, annotator)
            except EngineError:
                engine.give_back(lease.lease)
                raise

        def failed(error: EngineError) -> None:
            # An answer that got lost may have been a lease.
            self._journal.end(holder.sitting, given_back=isinstance(error, Refused))
            self._not_opened(error)

        self._jobs.submit(bring, lambda case: self._brought(case, holder), failed)

    def _begin(self, annotator: str) -> Holder:
        """A sitting of its own, which nobody takes for one that is over.

        :raises OSError: the journal's folder cannot be written.
        """
        ended = tuple(self._journal.ended())
        return Holder(annotator, self._journal.begin(), ended)

    def _brought(self, opened: OpenCase | None, holder: Holder) -> None:
        self.opening = False
        if opened is None:
            self._journal.end(holder.sitting)
            self.empty.emit()
            return
        try:
            self.session = ReviewSession(
                self._host,
                self._background,
                self._jobs,
                self._journal,
                opened,
                holder,
                history_of=self.history_of,
                **self._seconds,
            )
        except ValueError as error:
            self._journal.end(holder.sitting, given_back=False)
            self._jobs.submit(lambda engine: engine.give_back(opened.lease.lease), failed=lambda _: None)
            self.failed.emit(str(error))
            return
        self.opened.emit(self.session)

    def _not_opened(self, error: Exception) -> None:
        self.opening = False
        self.failed.emit(str(error))

    def _recover(self, engine: EngineClient) -> list[str]:
        """For a worker thread: entries of cases that others have, or that this store does not know, stay."""
        cases = []
        for case, annotator in self._journal.owners():
            holder, given_back = self._begin(annotator), False
            try:
                lease = holder.take(engine, case)
                saved, _ = submit_left_behind(engine, self._journal, lease, annotator)
                engine.give_back(lease.lease)
                given_back = True
                cases += [case] if saved else []
            except (Conflict, Unknown):
                given_back = True  # or never had
            finally:
                self._journal.end(holder.sitting, given_back=given_back)
        return cases

    def _recovered(self, cases: list[str]) -> None:
        if cases:
            self.recovered.emit(cases)
