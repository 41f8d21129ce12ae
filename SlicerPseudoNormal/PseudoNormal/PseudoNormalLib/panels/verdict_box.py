"""The last word about the open case, and whether what was done is saved."""

from __future__ import annotations

from datetime import datetime

import qt

from PseudoNormalLib.engine.replies import RevisionInfo
from PseudoNormalLib.i18n import _
from PseudoNormalLib.panels.forms import allow, button, note, row, section
from PseudoNormalLib.panels.worklist_box import in_words
from PseudoNormalLib.review.bench import ReviewBench
from PseudoNormalLib.review.place import COMMENT_LENGTH


class VerdictBox:
    """Accept, second reader, reject; a comment; the state of saving.

    :ivar widget: the section.
    """

    def __init__(self, review: ReviewBench) -> None:
        self._review = review
        self._finishing = False
        self.widget, form = section(_("Decision"))
        self.comment_edit = qt.QLineEdit()
        self.comment_edit.maxLength = COMMENT_LENGTH
        self.comment_edit.placeholderText = _("A comment that goes with the decision; name no patient")
        self.comment_edit.textChanged.connect(self._offer)
        form.addRow(_("Comment:"), self.comment_edit)
        self.accept_button = button(_("Accept the case"), "", self.accept)
        self.second_button = button(_("Needs a second reader"), "", lambda: self._finish("needs_second_reader"))
        self.reject_button = button(_("Reject the case"), "", lambda: self._finish("rejected"))
        form.addRow(row(self.accept_button, self.second_button, self.reject_button))
        self.next_check = qt.QCheckBox(_("Then open the next case"))
        self.next_check.checked = True
        self.save_button = button(_("Save a draft"), "", self.save)
        form.addRow(row(self.next_check, self.save_button))
        self.state = note()
        form.addRow(self.state)
        self.show()

    def show(self) -> None:
        """Follow the case that is open now, if there is one."""
        session = self._review.session
        self._finishing = False
        if session is not None:
            self.comment_edit.text = ""
            self.state.text = _("Changes are saved on their own every few seconds.")
            session.saved.connect(self._saved)
            session.trouble.connect(self._trouble)
            session.lost.connect(self._lost)
        self._offer()

    def accept(self) -> None:
        """Accept the case, if that can be done now."""
        if self.accept_button.enabled:
            self._finish("accepted")

    def save(self) -> None:
        """Save a draft now, if that can be done."""
        if self.save_button.enabled:
            self._review.session.editor.look()
            self._review.session.drafts.save()

    def _finish(self, state: str) -> None:
        self._finishing = True
        self.state.text = _("Saving…")
        self._offer()
        self._review.desk.finish(state, self.comment_edit.text.strip(), self._finished)

    def _finished(self) -> None:
        self._finishing = False
        if self.next_check.checked:
            self._review.desk.open_next(self._review.annotator)

    def _saved(self, revision: RevisionInfo) -> None:
        line = _("Revision {number} ({state}) saved at {time}")
        time = datetime.now().astimezone().strftime("%H:%M:%S")
        self.state.text = line.format(number=revision.number, state=in_words(revision.state), time=time)

    def _trouble(self, line: str) -> None:
        self._finishing = False
        self.state.text = _("Not saved yet, but kept on this computer: {line}").format(line=line)
        self._offer()

    def _lost(self, line: str) -> None:
        self._finishing = False
        kept = _("{line}. What you did is kept on this computer: put the case away, and open it again when it is free.")
        self.state.text = kept.format(line=line.rstrip("."))
        self._offer()

    def _offer(self) -> None:
        closed = "" if self._review.session is not None else _("No case is open")
        busy = closed or (_("It is being saved") if self._finishing else "")
        why = busy or ("" if self.comment_edit.text.strip() else _("Say why in the comment first"))
        allow(self.accept_button, _("The mask is right as it is (Ctrl+Return)"), busy)
        allow(self.second_button, _("Somebody else shall look at it too"), why)
        allow(self.reject_button, _("The scan is of no use"), why)
        allow(self.save_button, _("Save a draft now (Ctrl+S)"), busy)
        self.comment_edit.enabled = not closed
