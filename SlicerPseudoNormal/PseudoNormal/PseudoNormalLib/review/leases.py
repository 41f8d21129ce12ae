"""Keeping the lease on a case while it is open."""

from __future__ import annotations

import threading
from collections.abc import Callable
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


class LeaseKeeper:
    """Renews a lease in the background until it is closed.

    A lease that ran out, because the computer slept or the connection was gone, is asked for again. ``lost`` is
    emitted with one line, once, when somebody else has the case by then; ``trouble`` whenever a renewal failed
    otherwise: the next one is tried all the same.
    """

    def __init__(
        self, host: Host, jobs: EngineJobs, lease: Lease, annotator: str, *, seconds: float = RENEW_SECONDS
    ) -> None:
        self.lost = Signal()
        self.trouble = Signal()
        self._jobs = jobs
        self._token = lease.lease
        self._case = lease.case.id
        self._annotator = annotator
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
                    self._token = engine.lease_case(self._case, self._annotator).lease
            return work(self._token)

    def close(self, done: Callable[[], None]) -> None:
        """Let others have the case.

        :param done: called when the engine knows, or cannot be told: then the lease runs out by itself.
        """
        self._stop()
        token = self._token
        self._jobs.submit(lambda engine: engine.give_back(token), lambda _: done(), lambda _: done())

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
