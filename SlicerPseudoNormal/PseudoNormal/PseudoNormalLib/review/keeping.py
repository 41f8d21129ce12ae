"""What was generated anew in a review goes into the store, beside the revision whose mask it was made for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PseudoNormalLib.i18n import _
from PseudoNormalLib.signals import Signal

if TYPE_CHECKING:
    from PseudoNormalLib.engine.client import EngineClient
    from PseudoNormalLib.engine.errors import EngineError
    from PseudoNormalLib.engine.jobs import EngineJobs
    from PseudoNormalLib.engine.replies import ResultsInfo
    from PseudoNormalLib.review.drafts import Drafts
    from PseudoNormalLib.review.leases import LeaseKeeper


class ResultsKeeper:
    """Has the store keep the results of jobs.

    ``kept`` is emitted with the :class:`PseudoNormalLib.engine.replies.ResultsInfo`, ``trouble`` with one line when the
    store did not take them: they are on the screen only then.

    :param case: the case's id.
    :param drafts: the masks that jobs were given are among what it saves.
    """

    def __init__(self, jobs: EngineJobs, lease: LeaseKeeper, drafts: Drafts, case: str) -> None:
        self.kept = Signal()
        self.trouble = Signal()
        self._jobs = jobs
        self._lease = lease
        self._drafts = drafts
        self._case = case
        self._under_way = 0
        self._waiting: list[Callable[[], None]] = []

    def keep(self, job: str) -> None:
        """Have the results of a finished job kept, once the mask that it was given is saved.

        :param job: its id.
        """
        self._under_way += 1

        def add(engine: EngineClient) -> ResultsInfo:
            return self._lease.use(engine, lambda token: engine.add_results(self._case, job, lease=token))

        self._drafts.save_then(lambda: self._jobs.submit(add, self._added, self._failed))

    def then(self, done: Callable[[], None]) -> None:
        """Call something when nothing is on its way any more."""
        self._waiting.append(done)
        self._go_on()

    def _added(self, results: ResultsInfo) -> None:
        self._over(self.kept, results)

    def _failed(self, error: EngineError) -> None:
        line = _("The new pseudo-normal is on the screen only, the case store has not taken it: {error}")
        self._over(self.trouble, line.format(error=error))

    def _over(self, signal: Signal, what: Any) -> None:
        self._under_way -= 1
        signal.emit(what)
        self._go_on()

    def _go_on(self) -> None:
        while self._waiting and not self._under_way:
            self._waiting.pop(0)()
