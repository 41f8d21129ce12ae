"""The other revisions of the open case: look at one, hold it against the mask, or make one of several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PseudoNormalLib.i18n import _
from PseudoNormalLib.review.offers import Offer
from PseudoNormalLib.signals import Signal

if TYPE_CHECKING:
    from PseudoNormalLib.engine.replies import RevisionInfo
    from PseudoNormalLib.review.bench import ReviewBench
    from PseudoNormalLib.review.session import ReviewSession


class Readings:
    """Revisions, those that are chosen, and work of one's own that somebody has overtaken.

    ``listed`` is emitted when there are others than before; ``changed`` when line or offers may be others.

    :ivar revisions: newest first.
    :ivar chosen: those of them that the buttons mean.
    :ivar line: how far the one that is shown agrees with the mask, for people; empty when none is shown.
    """

    def __init__(self, review: ReviewBench) -> None:
        self.listed = Signal()
        self.changed = Signal()
        self.revisions: tuple[RevisionInfo, ...] = ()
        self.chosen: tuple[RevisionInfo, ...] = ()
        self.line = ""
        self._review = review
        review.desk.opened.connect(self._opened)
        review.desk.closing.connect(self._list)

    @property
    def stranded(self) -> bool:
        """Whether work of one's own lies on this computer that somebody has overtaken."""
        return self._review.session is not None and bool(self._review.session.stranded)

    def offers(self) -> dict[str, Offer]:
        """By name: ``show``, ``hide``, ``consensus``, ``take_over``."""
        reading = self._review.reading
        closed = "" if reading is not None else _("No case is open")
        one = "" if len(self.chosen) == 1 else _("Choose one revision in the table")
        several = "" if len(self.chosen) > 1 else _("Choose two or more revisions in the table")
        shown = "" if reading is not None and reading.shown is not None else _("No other reading is shown")
        take_over = _("Somebody saved this case after you: put your unsaved mask in its place; Undo undoes it")
        return {
            "show": Offer(_("Outline this revision and tell how far the two agree"), closed or one),
            "hide": Offer(_("Take the outline away"), closed or shown),
            "consensus": Offer(_("Make one mask of the chosen revisions (STAPLE)"), closed or several),
            "take_over": Offer(take_over, closed),
        }

    def choose(self, revisions: Sequence[RevisionInfo]) -> None:
        """Mean these revisions from now on."""
        self.chosen = tuple(revisions)
        self.changed.emit()

    def show(self) -> None:
        """Outline the chosen revision."""
        if self._review.reading is not None and self.offers()["show"].stands:
            self._review.reading.show(self.chosen[0])

    def hide(self) -> None:
        """Take the outline away."""
        if self._review.reading is not None:
            self._review.reading.hide()

    def agree(self) -> None:
        """Have one mask made of the chosen revisions."""
        if self._review.reading is not None and self.offers()["consensus"].stands:
            self._review.reading.agree(self.chosen)

    def take_over(self) -> None:
        """Put the newest stranded mask in the place of the one on the screen."""
        session = self._review.session
        if session is not None and session.stranded:
            session.take_over(session.stranded[-1])
            self.changed.emit()

    def _opened(self, session: ReviewSession) -> None:
        if self._review.reading is not None:
            self._review.reading.changed.connect(self._compare)
            self._review.reading.failed.connect(self._say)
        session.saved.connect(self._list)
        self._list()

    def _list(self, _saved: RevisionInfo | None = None) -> None:
        session = self._review.session
        self.revisions = () if session is None else tuple(reversed(session.revisions))
        self.chosen = tuple(revision for revision in self.chosen if revision in self.revisions)
        self.listed.emit()
        self._compare()

    def _compare(self) -> None:
        reading = self._review.reading
        overlap = None if reading is None else reading.overlap
        if reading is None or reading.shown is None or overlap is None:
            self._say("")
            return
        line = _("Dice {dice}; the mask {mine} ml, revision {number} by {author} {theirs} ml")
        self._say(
            line.format(
                dice=f"{overlap.dice:.3f}",
                mine=f"{overlap.mine_ml:.2f}",
                theirs=f"{overlap.theirs_ml:.2f}",
                number=reading.shown.number,
                author=reading.shown.author,
            )
        )

    def _say(self, line: str) -> None:
        self.line = line
        self.changed.emit()
