"""The last word about the open case, and whether what was done is saved."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from PseudoNormalLib.i18n import _
from PseudoNormalLib.review.offers import Offer
from PseudoNormalLib.review.words import in_words
from PseudoNormalLib.signals import Signal

if TYPE_CHECKING:
    from PseudoNormalLib.engine.replies import RevisionInfo
    from PseudoNormalLib.review.bench import ReviewBench
    from PseudoNormalLib.review.session import ReviewSession


class Verdict:
    """Accept, second reader, reject; a comment; the state of saving.

    ``changed`` is emitted when line, comment or offers may be others than before.

    :ivar line: how saving went, for people.
    :ivar comment: goes with the decision.
    :ivar then_next: whether the next case is opened after a decision.
    """

    def __init__(self, review: ReviewBench) -> None:
        self.changed = Signal()
        self.line = ""
        self.comment = ""
        self.then_next = True
        self._finishing = False
        self._review = review
        review.desk.opened.connect(self._opened)
        review.desk.closing.connect(self._closing)

    def offers(self) -> dict[str, Offer]:
        """By name: ``comment``, ``save`` and the states ``accepted``, ``needs_second_reader``, ``rejected``."""
        closed = "" if self._review.session is not None else _("No case is open")
        busy = closed or (_("It is being saved") if self._finishing else "")
        why = busy or ("" if self.comment.strip() else _("Say why in the comment first"))
        return {
            "comment": Offer(_("A comment that goes with the decision; name no patient"), closed),
            "accepted": Offer(_("The mask is right as it is (Ctrl+Return)"), busy),
            "needs_second_reader": Offer(_("Somebody else shall look at it too"), why),
            "rejected": Offer(_("The scan is of no use"), why),
            "save": Offer(_("Save a draft now (Ctrl+S)"), busy),
        }

    def write(self, comment: str) -> None:
        """Have another comment."""
        if comment != self.comment:
            self.comment = comment
            self.changed.emit()

    def finish(self, state: str) -> None:
        """Say the last word, if that can be done now.

        :param state: ``accepted``, ``needs_second_reader`` or ``rejected``.
        """
        if self.offers()[state].stands:
            self._finishing = True
            self.line = _("Saving…")
            self.changed.emit()
            self._review.desk.finish(state, self.comment.strip(), self._finished)

    def save(self) -> None:
        """Save a draft now, if that can be done."""
        session = self._review.session
        if session is not None and self.offers()["save"].stands:
            session.editor.look()
            session.drafts.save()

    def _opened(self, session: ReviewSession) -> None:
        self._finishing = False
        self.comment = ""
        session.saved.connect(self._saved)
        session.trouble.connect(self._trouble)
        session.lost.connect(self._lost)
        self._say(_("Changes are saved on their own every few seconds."))

    def _closing(self) -> None:
        self._finishing = False
        self.changed.emit()

    def _finished(self) -> None:
        self._finishing = False
        self.changed.emit()
        if self.then_next:
            self._review.taking.open_next()

    def _saved(self, revision: RevisionInfo) -> None:
        line = _("Revision {number} ({state}) saved at {time}")
        time = datetime.now().astimezone().strftime("%H:%M:%S")
        self._say(line.format(number=revision.number, state=in_words(revision.state), time=time))

    def _trouble(self, line: str) -> None:
        self._finishing = False
        self._say(_("Not saved yet, but kept on this computer: {line}").format(line=line))

    def _lost(self, line: str) -> None:
        self._finishing = False
        kept = _("{line}. What you did is kept on this computer: put the case away, and open it again when it is free.")
        self._say(kept.format(line=line.rstrip(".")))

    def _say(self, line: str) -> None:
        self.line = line
        self.changed.emit()
