"""Keeping the lease on a case while it is open."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from PseudoNormalLib.engine.errors import Conflict, EngineError, LeaseLost
from PseudoNormalLib.signals import Signal

if TYPE_CHECKING:
    from PseudoNormalLib.engine.client import EngineClient
    from PseudoNormalLib.engine.jobs import EngineJobs
    from PseudoNormalLib.engine.replies import Lease
    from PseudoNormalLib.hosts import Host

Outcome = TypeVar("Outcome")
RENEW_SECONDS = 60.0


@dataclass(frozen=True)
class Holder:
    """Who asks the store for a case: an annotator, in one of the windows that they may have.

    :param sitting: names the time during which the case will be open; a lease belongs to it.
    :param ended: sittings on this computer that are over, see :meth:`PseudoNormalLib.review.journal.Journal.ended`.
    """

    annotator: str
    sitting: str
    ended: tuple[str, ...] = ()

    def take(self, engine: EngineClient, case: str) -> Lease:
        """Lease a case. For worker threads.

        :raises Conflict: somebody else has it, or this annotator in another window.
        """
        return engine.lease_case(case, self.annotator, sitting=self.sitting, ended=self.ended)

    def take_next(self, engine: EngineClient) -> Lease | None:
        """Lease the case that comes next; None when none is left. For worker threads."""
        return engine.next_case(self.annotator, sitting=self.sitting, ended=self.ended)


class LeaseKeeper:
    """Renews a lease in the background until it is closed.

    A lease that ran out, because the computer slept or the connection was gone, is asked for again. ``lost`` is
    emitted with one line, once, when somebody else has the case by then; ``trouble`` whenever a renewal failed
    otherwise: the next one is tried all the same.

    :param take: asks for it again; called on worker threads.
    """

    def __init__(
        self,
        host: Host,
        jobs: EngineJobs,
        lease: Lease,
        take: Callable[[EngineClient], Lease],
        *,
        seconds: float = RENEW_SECONDS,
    ) -> None:
        self.lost = Signal()
        self.trouble = Signal()
        self._jobs = jobs
        self._token = lease.lease
        self._take = take
        self._lock = threading.Lock()
        self._asking = False
        self._stop = host.tick(self._renew, seconds)

    def use(self, engine: EngineClient, work: Callable[[str], Outcome]) -> Outcome:
        """Do something that needs the lease, which is asked for again if it has run out. For worker threads.

        :param work: called with the lease's token.
        :raises Conflict: somebody else has the case.
        :raises EngineError: what ``work`` raises.
        """
        token = self._token
        try:
            return work(token)
        except LeaseLost:
            with self._lock:
                if self._token == token:  # another thread may have been faster
                    self._token = self._take(engine).lease
            return work(self._token)

    def close(self, done: Callable[[bool], None]) -> None:
        """Let others have the case.

        :param done: called with whether the engine knows; if not, the lease runs out by itself.
        """
        self._stop()
        token = self._token
        self._jobs.submit(lambda engine: engine.give_back(token), lambda _: done(True), lambda _: done(False))

    def _renew(self) -> None:
        if not self._asking:
            self._asking = True
            self._jobs.submit(lambda engine: self.use(engine, engine.renew_lease), self._renewed, self._failed)

    def _renewed(self, _expires: str) -> None:
        self._asking = False

    def _failed(self, error: EngineError) -> None:
        self._asking = False
        if isinstance(error, Conflict):
            self._stop()
            self.lost.emit(str(error))
        else:
            self.trouble.emit(str(error))
