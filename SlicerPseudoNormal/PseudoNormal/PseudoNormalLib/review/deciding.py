"""Deciding about the findings of the open case, one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PseudoNormalLib.i18n import _
from PseudoNormalLib.review.decisions import Decision
from PseudoNormalLib.review.offers import Offer
from PseudoNormalLib.review.words import finding_cells
from PseudoNormalLib.signals import Signal

if TYPE_CHECKING:
    from PseudoNormalLib.review.bench import ReviewBench
    from PseudoNormalLib.review.session import ReviewSession


class Deciding:
    """The findings as rows, the current one, and what can be said about it.

    ``changed`` is emitted when any of that is another than before.
    """

    def __init__(self, review: ReviewBench) -> None:
        self.changed = Signal()
        self._review = review
        review.desk.opened.connect(self._opened)
        review.desk.closing.connect(self.changed.emit)

    @property
    def current(self) -> int:
        """The number of the finding that is shown, 0 for none."""
        return 0 if self._review.session is None else self._review.session.walk.current

    def rows(self) -> list[list[str]]:
        """One a finding, see :func:`PseudoNormalLib.review.words.finding_cells`."""
        if self._review.session is None:
            return []
        walk = self._review.session.walk
        return [finding_cells(finding, walk.decision(finding.index)) for finding in walk.findings]

    def summary(self) -> str:
        """How many there are and how many wait for a decision."""
        if self._review.session is None:
            return _("No case is open.")
        walk = self._review.session.walk
        still_open = sum(walk.decision(finding.index) is Decision.OPEN for finding in walk.findings)
        volume = sum(finding.volume_ml for finding in walk.findings)
        line = _("{count} findings, {volume} ml; {open} without a decision")
        return line.format(count=len(walk.findings), volume=f"{volume:.2f}", open=still_open)

    def offers(self) -> dict[str, Offer]:
        """By the names of :meth:`do`, and ``grow``, ``shrink``, ``undo``, ``redo``."""
        session = self._review.session
        walk = None if session is None else session.walk
        closed = _("No case is open") if walk is None else ""
        nothing = closed or ("" if walk and walk.findings else _("There are no findings"))
        no_current = nothing or ("" if walk and walk.current else _("Choose a finding first"))
        can_follow = walk is not None and walk.can_follow_difference
        no_map = closed or ("" if can_follow else _("There is no difference map: regenerate first"))
        return {
            "previous": Offer(_("Go to the previous finding"), nothing),
            "next": Offer(_("Go to the next finding"), nothing),
            "accept": Offer(_("It is a lesion"), no_current),
            "reject": Offer(_("It is none: its voxels leave the mask; Undo brings them back"), no_current),
            "keep": Offer(_("Leave it in the mask without calling it a lesion"), no_current),
            "grow": Offer(_("Grow to the difference map; the key does so where the mouse is"), no_map),
            "shrink": Offer(_("Shrink to the difference map; the key does so where the mouse is"), no_map),
            "undo": Offer(_("Undo the last change of the mask (Ctrl+Z)"), closed),
            "redo": Offer(_("Redo what was undone (Ctrl+Y)"), closed),
        }

    def do(self, what: str) -> None:
        """Say something about the current finding or go on; without an open case nothing happens.

        :param what: ``previous``, ``next``, ``accept``, ``reject`` or ``keep``.
        """
        if self._review.session is not None:
            getattr(self._review.session.walk, what)()

    def go_to(self, number: int) -> None:
        """Show a finding in all views."""
        if self._review.session is not None and number != self.current:
            self._review.session.walk.go_to(number)

    def undo(self) -> None:
        """Undo the last change of the mask."""
        if self._review.session is not None:
            self._review.session.editor.undo()

    def redo(self) -> None:
        """Redo what was undone."""
        if self._review.session is not None:
            self._review.session.editor.redo()

    def _opened(self, session: ReviewSession) -> None:
        session.walk.changed.connect(self.changed.emit)
        self.changed.emit()
