"""The last word about the open case, and whether what was done is saved."""

from __future__ import annotations

import qt

from PseudoNormalLib.i18n import _
from PseudoNormalLib.panels.forms import button, follow, note, row, section
from PseudoNormalLib.review.bench import ReviewBench
from PseudoNormalLib.review.place import COMMENT_LENGTH


class VerdictBox:
    """Accept, second reader, reject; a comment; the state of saving.

    :ivar widget: the section.
    """

    def __init__(self, review: ReviewBench) -> None:
        verdict = self._verdict = review.verdict
        self.widget, form = section(_("Decision"))
        self.comment_edit = qt.QLineEdit()
        self.comment_edit.maxLength = COMMENT_LENGTH
        self.comment_edit.placeholderText = _("A comment that goes with the decision; name no patient")
        self.comment_edit.textChanged.connect(verdict.write)
        form.addRow(_("Comment:"), self.comment_edit)
        self.accept_button = button(_("Accept the case"), "", lambda: verdict.finish("accepted"))
        self.second_button = button(_("Needs a second reader"), "", lambda: verdict.finish("needs_second_reader"))
        self.reject_button = button(_("Reject the case"), "", lambda: verdict.finish("rejected"))
        form.addRow(row(self.accept_button, self.second_button, self.reject_button))
        self.next_check = qt.QCheckBox(_("Then open the next case"))
        self.next_check.checked = verdict.then_next
        self.next_check.toggled.connect(self._set_next)
        self.save_button = button(_("Save a draft"), "", verdict.save)
        form.addRow(row(self.next_check, self.save_button))
        self.state = note()
        form.addRow(self.state)
        verdict.changed.connect(self._show)
        self._show()

    def close(self) -> None:
        """Follow no more."""
        self._verdict.changed.disconnect(self._show)

    def _set_next(self, checked: bool) -> None:
        self._verdict.then_next = checked

    def _show(self) -> None:
        if self.comment_edit.text != self._verdict.comment:
            self.comment_edit.text = self._verdict.comment
        self.state.text = self._verdict.line
        offers = self._verdict.offers()
        for widget, name in (
            (self.comment_edit, "comment"),
            (self.accept_button, "accepted"),
            (self.second_button, "needs_second_reader"),
            (self.reject_button, "rejected"),
            (self.save_button, "save"),
        ):
            follow(widget, offers[name])
