"""Tables that are read and clicked, not written into."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import qt


def plain_table(titles: Sequence[str], stretched: int, height: int) -> Any:
    """A table whose rows are chosen as a whole.

    :param stretched: the column that takes the room which is left.
    :param height: least height, px.
    """
    table = qt.QTableWidget()
    table.setColumnCount(len(titles))
    table.setHorizontalHeaderLabels(list(titles))
    table.horizontalHeader().setSectionResizeMode(qt.QHeaderView.ResizeToContents)
    table.horizontalHeader().setSectionResizeMode(stretched, qt.QHeaderView.Stretch)
    table.verticalHeader().setVisible(False)
    table.setSelectionBehavior(qt.QAbstractItemView.SelectRows)
    table.setSelectionMode(qt.QAbstractItemView.SingleSelection)
    table.setEditTriggers(qt.QAbstractItemView.NoEditTriggers)
    table.setWordWrap(False)
    table.setMinimumHeight(height)
    return table


def fill(table: Any, rows: Sequence[Sequence[str]]) -> None:
    """Put these texts into the cells instead of what was there."""
    table.setRowCount(len(rows))
    for number, cells in enumerate(rows):
        for column, text in enumerate(cells):
            table.setItem(number, column, qt.QTableWidgetItem(text))
