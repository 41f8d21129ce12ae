"""The list of cases in the store, filtered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PseudoNormalLib.signals import Signal

if TYPE_CHECKING:
    from PseudoNormalLib.engine.background import Call
    from PseudoNormalLib.engine.errors import EngineError
    from PseudoNormalLib.engine.jobs import EngineJobs
    from PseudoNormalLib.engine.replies import CaseInfo, CasePage

PAGE = 200


@dataclass(frozen=True)
class Filter:
    """Which cases to list.

    :param status: one of :data:`STATUSES`; None for all.
    :param text: part of a case's id or contrast; empty for all.
    """

    status: str | None = None
    text: str = ""


STATUSES = ("new", "draft", "needs_second_reader", "accepted", "rejected", "synthetic")


class Worklist:
    """The cases that a filter finds, in the order in which they are given out.

    ``changed`` is emitted when they have arrived, ``failed`` with one line when they could not be had: then the old
    list stays.
    """

    def __init__(self, jobs: EngineJobs) -> None:
        self.changed = Signal()
        self.failed = Signal()
        self.cases: tuple[CaseInfo, ...] = ()
        self.total = 0
        self.filter = Filter()
        self._jobs = jobs
        self._asked: Call | None = None

    def show(self, wanted: Filter) -> None:
        """List other cases."""
        self.filter = wanted
        self.refresh()

    def refresh(self) -> None:
        """Ask again; the answer to an earlier question is not waited for any more."""
        wanted = self.filter
        self._asked = self._jobs.submit(
            lambda engine: engine.cases(wanted.status, wanted.text or None, PAGE),
            self._arrived,
            self._not_arrived,
            instead_of=self._asked,
        )

    def _arrived(self, page: CasePage) -> None:
        self.cases, self.total = page.cases, page.total
        self.changed.emit()

    def _not_arrived(self, error: EngineError) -> None:
        self.failed.emit(str(error))
