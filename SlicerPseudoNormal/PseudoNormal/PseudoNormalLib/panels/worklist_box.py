"""The list of cases: filter it, take the next one, or one of your own choice."""

from __future__ import annotations

from collections.abc import Callable

import qt

from PseudoNormalLib.engine.replies import CaseInfo
from PseudoNormalLib.i18n import _
from PseudoNormalLib.panels.forms import allow, button, note, row, section
from PseudoNormalLib.panels.tables import fill, plain_table
from PseudoNormalLib.review.bench import ReviewBench
from PseudoNormalLib.review.worklist import STATUSES, Filter

HEIGHT = 150  # px


class WorklistBox:
    """Cases, one a row.

    :ivar widget: the section.
    """

    def __init__(self, review: ReviewBench) -> None:
        self._review = review
        self._worklist = review.worklist
        self.widget, form = section(_("Cases"))
        self.status_combo = qt.QComboBox()
        self.status_combo.addItem(_("All"), "")
        for status in STATUSES:
            self.status_combo.addItem(in_words(status), status)
        self.status_combo.connect("currentIndexChanged(int)", self._filter)
        self.text_edit = qt.QLineEdit()
        self.text_edit.placeholderText = _("Part of a name or contrast")
        self.text_edit.editingFinished.connect(self._filter)
        self.refresh_button = button(_("Refresh"), "", self._worklist.refresh)
        form.addRow(row(self.status_combo, self.text_edit, self.refresh_button))
        titles = [_("Case"), _("Status"), _("Priority"), _("Findings"), _("ml"), _("Contrast"), _("With")]
        self.table = plain_table(titles, stretched=6, height=HEIGHT)
        self.table.itemSelectionChanged.connect(self.offer)
        self.table.cellDoubleClicked.connect(self._open)
        form.addRow(self.table)
        self.next_button = button(_("Next case"), "", lambda: self._take(review.desk.open_next))
        self.open_button = button(_("Open"), "", self._open)
        self.away_button = button(_("Put away"), "", review.desk.close)
        form.addRow(row(self.next_button, self.open_button, self.away_button))
        self.message = note()
        form.addRow(self.message)
        self._signals = (
            (self._worklist.changed, self._show),
            (self._worklist.failed, self.say),
            (review.desk.empty, self._say_empty),
            (review.desk.failed, self.say),
            (review.desk.recovered, self._say_recovered),
        )
        for signal, listener in self._signals:
            signal.connect(listener)
        self.offer()

    def say(self, line: str) -> None:
        """Tell something below the buttons."""
        self.message.text = line
        self.offer()

    def offer(self) -> None:
        """Let buttons be pressed, or say why they cannot be."""
        desk = self._review.desk
        obstacle = self._review.obstacle() or (_("A case is on its way") if desk.opening else "")
        allow(self.refresh_button, _("Ask the store again"), self._review.obstacle())
        allow(self.next_button, _("Open the case that is to be reviewed next; nobody else gets it meanwhile"), obstacle)
        chosen = "" if self._chosen() else _("Choose a case in the table first")
        allow(self.open_button, _("Open the chosen case"), obstacle or chosen)
        closed = "" if desk.session is not None else _("No case is open")
        allow(self.away_button, _("Save a draft and let others have the case"), closed)

    def close(self) -> None:
        """Follow no more."""
        for signal, listener in self._signals:
            signal.disconnect(listener)

    def _filter(self) -> None:
        self._worklist.show(Filter(self.status_combo.currentData or None, self.text_edit.text.strip()))

    def _chosen(self) -> CaseInfo | None:
        number = self.table.currentRow()
        return self._worklist.cases[number] if 0 <= number < len(self._worklist.cases) else None

    def _open(self) -> None:
        case = self._chosen()
        if case is not None:
            self._take(lambda annotator: self._review.desk.open(case.id, annotator))

    def _take(self, how: Callable[[str], None]) -> None:
        self.say(_("Opening…"))
        how(self._review.annotator)
        self.offer()

    def _show(self) -> None:
        item = self.table.item(self.table.currentRow(), 0)
        chosen = None if item is None else item.text()
        fill(self.table, [_cells(case) for case in self._worklist.cases])
        ids = [case.id for case in self._worklist.cases]
        self.table.setCurrentCell(ids.index(chosen) if chosen in ids else -1, 0)
        listed = _("{shown} of {total} cases").format(shown=len(self._worklist.cases), total=self._worklist.total)
        self.say(listed)

    def _say_empty(self) -> None:
        self.say(_("No case is left to be reviewed"))

    def _say_recovered(self, cases: list[str]) -> None:
        self.say(_("Work that was left on this computer is in the store now: {cases}").format(cases=", ".join(cases)))
        self._worklist.refresh()


def in_words(status: str) -> str:
    """A case's or revision's state, as people say it."""
    words = {
        "new": _("New"),
        "seed": _("Seed"),
        "draft": _("Draft"),
        "accepted": _("Accepted"),
        "needs_second_reader": _("Second reader"),
        "rejected": _("Rejected"),
        "consensus": _("Consensus"),
    }
    return words.get(status, status)


def _cells(case: CaseInfo) -> list[str]:
    return [
        case.id,
        in_words(case.status),
        "" if case.priority is None else f"{case.priority:.2f}",
        str(case.findings),
        "" if case.volume_ml is None else f"{case.volume_ml:.1f}",
        case.contrast or "",
        case.leased_by or "",
    ]
