"""The table of findings; a row jumps all views to its finding."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import qt

from PseudoNormalLib.i18n import _
from PseudoNormalLib.scene.findings import Finding
from PseudoNormalLib.scene.findings_words import WORDS, cells, row_after, titles

HEIGHT = 170  # px


class FindingsTable:
    """Findings, one a row.

    :param chosen: called with the finding whose row was clicked or reached by key.
    :ivar widget: the table.
    """

    def __init__(self, chosen: Callable[[Finding], Any]) -> None:
        self._chosen = chosen
        self._findings: tuple[Finding, ...] = ()
        self.widget = qt.QTableWidget()
        self.widget.setColumnCount(len(titles()))
        self.widget.setHorizontalHeaderLabels(titles())
        self.widget.horizontalHeader().setSectionResizeMode(qt.QHeaderView.ResizeToContents)
        self.widget.horizontalHeader().setSectionResizeMode(WORDS, qt.QHeaderView.Stretch)
        self.widget.verticalHeader().setVisible(False)
        self.widget.setSelectionBehavior(qt.QAbstractItemView.SelectRows)
        self.widget.setSelectionMode(qt.QAbstractItemView.SingleSelection)
        self.widget.setEditTriggers(qt.QAbstractItemView.NoEditTriggers)
        self.widget.setMinimumHeight(HEIGHT)
        self.widget.toolTip = _(
            "Click a finding to see it in all views; the keys N and P go to the next and previous one"
        )
        self.widget.cellClicked.connect(self._choose)
        self.widget.currentCellChanged.connect(self._choose)

    def show(self, findings: Sequence[Finding]) -> None:
        """Show these findings; none is chosen."""
        self._findings = ()
        self.widget.setRowCount(0)
        self.widget.setRowCount(len(findings))
        for row, finding in enumerate(findings):
            for column, text in enumerate(cells(finding)):
                item = qt.QTableWidgetItem(text)
                if column != WORDS:
                    item.setTextAlignment(qt.Qt.AlignRight | qt.Qt.AlignVCenter)
                self.widget.setItem(row, column, item)
        self._findings = tuple(findings)

    def step(self, by: int) -> None:
        """Go to another finding, round and round.

        :param by: 1 for the next, -1 for the previous.
        """
        row = row_after(self.widget.currentRow(), by, self._findings)
        if row >= 0:
            self.widget.setCurrentCell(row, 0)

    def _choose(self, row: int) -> None:
        if 0 <= row < len(self._findings):
            self._chosen(self._findings[row])
