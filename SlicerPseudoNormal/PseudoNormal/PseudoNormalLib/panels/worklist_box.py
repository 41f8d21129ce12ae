"""The list of cases: filter it, take the next one, or one of your own choice."""

from __future__ import annotations

import qt

from PseudoNormalLib.i18n import _
from PseudoNormalLib.panels.forms import button, follow, note, row, section
from PseudoNormalLib.panels.tables import fill, plain_table
from PseudoNormalLib.review.bench import ReviewBench
from PseudoNormalLib.review.words import case_cells, case_titles, in_words
from PseudoNormalLib.review.worklist import STATUSES, Filter

HEIGHT = 150  # px


class WorklistBox:
    """Cases, one a row.

    :ivar widget: the section.
    """

    def __init__(self, review: ReviewBench) -> None:
        self._taking = review.taking
        self._worklist = review.worklist
        self._filling = False
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
        self.table = plain_table(case_titles(), stretched=6, height=HEIGHT)
        self.table.itemSelectionChanged.connect(self._choose)
        self.table.cellDoubleClicked.connect(self._taking.open_chosen)
        form.addRow(self.table)
        self.next_button = button(_("Next case"), "", self._taking.open_next)
        self.open_button = button(_("Open"), "", self._taking.open_chosen)
        self.away_button = button(_("Put away"), "", self._taking.put_away)
        form.addRow(row(self.next_button, self.open_button, self.away_button))
        self.message = note()
        form.addRow(self.message)
        self._worklist.changed.connect(self._show)
        self._taking.changed.connect(self.offer)
        self.offer()

    def offer(self) -> None:
        """Tell how it went; let buttons be pressed, or say why they cannot be."""
        self.message.text = self._taking.line
        buttons = (self.refresh_button, self.next_button, self.open_button, self.away_button)
        offers = self._taking.offers()
        for each, name in zip(buttons, ("refresh", "next", "open", "away"), strict=True):
            follow(each, offers[name])

    def close(self) -> None:
        """Follow no more."""
        self._worklist.changed.disconnect(self._show)
        self._taking.changed.disconnect(self.offer)

    def _filter(self) -> None:
        self._worklist.show(Filter(self.status_combo.currentData or None, self.text_edit.text.strip()))

    def _choose(self) -> None:
        number = self.table.currentRow()
        if not self._filling:
            cases = self._worklist.cases
            self._taking.choose(cases[number].id if 0 <= number < len(cases) else None)

    def _show(self) -> None:
        self._filling = True
        fill(self.table, [case_cells(case) for case in self._worklist.cases])
        ids = [case.id for case in self._worklist.cases]
        self.table.setCurrentCell(ids.index(self._taking.chosen) if self._taking.chosen in ids else -1, 0)
        self._filling = False
        self._choose()
