"""Taking a case from the list and putting it away."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PseudoNormalLib.i18n import _
from PseudoNormalLib.review.offers import Offer
from PseudoNormalLib.signals import Signal

if TYPE_CHECKING:
    from PseudoNormalLib.review.bench import ReviewBench
    from PseudoNormalLib.review.session import ReviewSession


class Taking:
    """The case that is chosen in the list, and one line about what became of the last wish.

    ``changed`` is emitted when line or offers may be others than before.

    :ivar line: for people.
    :ivar chosen: id of the case that the list's buttons mean.
    """

    def __init__(self, review: ReviewBench) -> None:
        self.changed = Signal()
        self.line = ""
        self.chosen: str | None = None
        self._review = review
        review.worklist.changed.connect(self._listed)
        review.worklist.failed.connect(self.say)
        review.desk.empty.connect(self._say_empty)
        review.desk.failed.connect(self.say)
        review.desk.recovered.connect(self._say_recovered)
        review.desk.opened.connect(self._say_open)
        for signal in (review.desk.closing, review.desk.closed, review.bench.connection.changed, review.signed):
            signal.connect(self._tell)

    def offers(self) -> dict[str, Offer]:
        """By name: ``refresh``, ``next``, ``open``, ``away``."""
        desk, missing = self._review.desk, self._review.obstacle()
        obstacle = missing or (_("A case is on its way") if desk.opening else "")
        chosen = "" if self.chosen else _("Choose a case in the table first")
        closed = "" if desk.session is not None else _("No case is open")
        return {
            "refresh": Offer(_("Ask the store again"), missing),
            "next": Offer(_("Open the case that is to be reviewed next; nobody else gets it meanwhile"), obstacle),
            "open": Offer(_("Open the chosen case"), obstacle or chosen),
            "away": Offer(_("Save a draft and let others have the case"), closed),
        }

    def say(self, line: str) -> None:
        """Tell something."""
        self.line = line
        self.changed.emit()

    def choose(self, case: str | None) -> None:
        """Mean this case from now on."""
        self.chosen = case
        self.changed.emit()

    def open_next(self) -> None:
        """Open the case that comes next."""
        self._take(self._review.desk.open_next)

    def open_chosen(self) -> None:
        """Open the case that is chosen; without one nothing happens."""
        case = self.chosen
        if case is not None:
            self._take(lambda annotator: self._review.desk.open(case, annotator))

    def put_away(self) -> None:
        """Save a draft and let others have the case."""
        self._review.desk.close()

    def _take(self, how: Callable[[str], None]) -> None:
        self.line = _("Opening…")
        how(self._review.annotator)
        self.changed.emit()

    def _listed(self) -> None:
        worklist = self._review.worklist
        if self.chosen not in (case.id for case in worklist.cases):
            self.chosen = None
        self.say(_("{shown} of {total} cases").format(shown=len(worklist.cases), total=worklist.total))

    def _say_open(self, session: ReviewSession) -> None:
        self.say(_("Open: {case}").format(case=session.id))

    def _say_empty(self) -> None:
        self.say(_("No case is left to be reviewed"))

    def _say_recovered(self, cases: list[str]) -> None:
        self.say(_("Work that was left on this computer is in the store now: {cases}").format(cases=", ".join(cases)))
        self._review.worklist.refresh()

    def _tell(self, *_state: Any) -> None:
        self.changed.emit()
