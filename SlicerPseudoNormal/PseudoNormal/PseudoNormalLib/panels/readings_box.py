"""The other revisions of the open case: look at one, hold it against the mask, or make one of several."""

from __future__ import annotations

from datetime import datetime

import qt

from PseudoNormalLib.engine.replies import RevisionInfo
from PseudoNormalLib.i18n import _
from PseudoNormalLib.panels.forms import allow, button, note, row, section
from PseudoNormalLib.panels.tables import fill, plain_table
from PseudoNormalLib.panels.worklist_box import in_words
from PseudoNormalLib.review.bench import ReviewBench

HEIGHT = 110  # px


class ReadingsBox:
    """Revisions, one a row, newest first.

    :ivar widget: the section.
    """

    def __init__(self, review: ReviewBench) -> None:
        self._review = review
        self._revisions: list[RevisionInfo] = []
        self.widget, form = section(_("Other readings"), collapsed=True)
        self.table = plain_table([_("No."), _("State"), _("By"), _("When")], stretched=2, height=HEIGHT)
        self.table.setSelectionMode(qt.QAbstractItemView.ExtendedSelection)
        self.table.itemSelectionChanged.connect(self._offer)
        form.addRow(self.table)
        self.show_button = button(_("Show"), "", lambda: self._review.reading.show(self._chosen()[0]))
        self.hide_button = button(_("Hide"), "", self._hide)
        self.consensus_button = button(_("Consensus"), "", lambda: self._review.reading.agree(self._chosen()))
        form.addRow(row(self.show_button, self.hide_button, self.consensus_button))
        self.overlap = note()
        form.addRow(self.overlap)
        self.take_button = button(_("Bring back my earlier work"), "", self._take_over)
        form.addRow(self.take_button)
        self.show()

    def show(self) -> None:
        """Follow the case that is open now, if there is one."""
        if self._review.reading is not None:
            self._review.reading.changed.connect(self._follow)
            self._review.reading.failed.connect(self._say)
            self._review.session.saved.connect(self._fill)
        self._fill()

    def _fill(self, _saved: RevisionInfo | None = None) -> None:
        session = self._review.session
        self._revisions = [] if session is None else list(reversed(session.revisions))
        fill(self.table, [_cells(revision) for revision in self._revisions])
        if session is not None and session.stranded:
            self.widget.collapsed = False
        self._follow()

    def _chosen(self) -> list[RevisionInfo]:
        rows = sorted(index.row() for index in self.table.selectionModel().selectedRows())
        return [self._revisions[number] for number in rows]

    def _hide(self) -> None:
        self._review.reading.hide()

    def _take_over(self) -> None:
        session = self._review.session
        session.take_over(session.stranded[-1])
        self._offer()

    def _follow(self) -> None:
        reading = self._review.reading
        overlap = None if reading is None else reading.overlap
        line = _("Dice {dice}; the mask {mine} ml, revision {number} by {author} {theirs} ml")
        self.overlap.text = (
            ""
            if overlap is None
            else line.format(
                dice=f"{overlap.dice:.3f}",
                mine=f"{overlap.mine_ml:.2f}",
                theirs=f"{overlap.theirs_ml:.2f}",
                number=reading.shown.number,
                author=reading.shown.author,
            )
        )
        self.overlap.visible = bool(self.overlap.text)
        self._offer()

    def _say(self, line: str) -> None:
        self.overlap.text = line
        self.overlap.visible = True

    def _offer(self) -> None:
        session, reading = self._review.session, self._review.reading
        closed = "" if reading is not None else _("No case is open")
        chosen = [] if closed else self._chosen()
        one = "" if len(chosen) == 1 else _("Choose one revision in the table")
        several = "" if len(chosen) > 1 else _("Choose two or more revisions in the table")
        shown = "" if reading is not None and reading.shown is not None else _("No other reading is shown")
        allow(self.show_button, _("Outline this revision and tell how far the two agree"), closed or one)
        allow(self.hide_button, _("Take the outline away"), closed or shown)
        allow(self.consensus_button, _("Make one mask of the chosen revisions (STAPLE)"), closed or several)
        self.take_button.visible = session is not None and bool(session.stranded)
        allow(
            self.take_button,
            _("Somebody saved this case after you: put your unsaved mask in its place; Undo undoes it"),
        )


def _cells(revision: RevisionInfo) -> list[str]:
    # Python before 3.11 does not read the Z that stands for UTC.
    created = datetime.fromisoformat(revision.created.replace("Z", "+00:00")).astimezone()
    return [str(revision.number), in_words(revision.state), revision.author, created.strftime("%Y-%m-%d %H:%M")]
