"""The other revisions of the open case: look at one, hold it against the mask, or make one of several."""

from __future__ import annotations

import qt

from PseudoNormalLib.i18n import _
from PseudoNormalLib.panels.forms import button, follow, note, row, section
from PseudoNormalLib.panels.tables import fill, plain_table
from PseudoNormalLib.review.bench import ReviewBench
from PseudoNormalLib.review.words import revision_cells, revision_titles

HEIGHT = 110  # px


class ReadingsBox:
    """Revisions, one a row, newest first.

    :ivar widget: the section.
    """

    def __init__(self, review: ReviewBench) -> None:
        readings = self._readings = review.readings
        self.widget, form = section(_("Other readings"), collapsed=True)
        self.table = plain_table(revision_titles(), stretched=2, height=HEIGHT)
        self.table.setSelectionMode(qt.QAbstractItemView.ExtendedSelection)
        self.table.itemSelectionChanged.connect(self._choose)
        form.addRow(self.table)
        self.show_button = button(_("Show"), "", readings.show)
        self.hide_button = button(_("Hide"), "", readings.hide)
        self.consensus_button = button(_("Consensus"), "", readings.agree)
        form.addRow(row(self.show_button, self.hide_button, self.consensus_button))
        self.overlap = note()
        form.addRow(self.overlap)
        self.take_button = button(_("Bring back my earlier work"), "", readings.take_over)
        form.addRow(self.take_button)
        readings.listed.connect(self._fill)
        readings.changed.connect(self._show)
        self._fill()

    def close(self) -> None:
        """Follow no more."""
        self._readings.listed.disconnect(self._fill)
        self._readings.changed.disconnect(self._show)

    def _fill(self) -> None:
        fill(self.table, [revision_cells(revision) for revision in self._readings.revisions])
        if self._readings.stranded:
            self.widget.collapsed = False
        self._show()

    def _choose(self) -> None:
        rows = sorted(index.row() for index in self.table.selectionModel().selectedRows())
        self._readings.choose([self._readings.revisions[number] for number in rows])

    def _show(self) -> None:
        self.overlap.text = self._readings.line
        self.overlap.visible = bool(self._readings.line)
        self.take_button.visible = self._readings.stranded
        offers = self._readings.offers()
        follow(self.show_button, offers["show"])
        follow(self.hide_button, offers["hide"])
        follow(self.consensus_button, offers["consensus"])
        follow(self.take_button, offers["take_over"])
