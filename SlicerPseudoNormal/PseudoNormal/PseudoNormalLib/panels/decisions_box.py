"""The findings of the open case, what is said about each, and the brush that follows the difference map."""

from __future__ import annotations

from typing import Any

import ctk

from PseudoNormalLib.i18n import _
from PseudoNormalLib.panels.forms import button, follow, note, row, section
from PseudoNormalLib.panels.tables import fill, plain_table
from PseudoNormalLib.review.bench import GREATEST_THRESHOLD, LEAST_MM, MOST_MM, ReviewBench
from PseudoNormalLib.review.words import finding_titles

HEIGHT = 150  # px


class DecisionsBox:
    """Findings, one a row, with buttons for the current one.

    :ivar widget: the section.
    """

    def __init__(self, review: ReviewBench) -> None:
        self._review = review
        deciding = self._deciding = review.deciding
        self._filling = False
        self.widget, form = section(_("Findings"))
        self.summary = note()
        form.addRow(self.summary)
        self.table = plain_table(finding_titles(), stretched=1, height=HEIGHT)
        self.table.currentCellChanged.connect(self._go_to)
        form.addRow(self.table)
        self.previous_button = button(_("Previous (P)"), "", lambda: deciding.do("previous"))
        self.next_button = button(_("Next (N)"), "", lambda: deciding.do("next"))
        self.accept_button = button(_("Accept (A)"), "", lambda: deciding.do("accept"))
        self.reject_button = button(_("Reject (X)"), "", lambda: deciding.do("reject"))
        self.keep_button = button(_("Keep (K)"), "", lambda: deciding.do("keep"))
        form.addRow(row(self.previous_button, self.next_button))
        form.addRow(row(self.accept_button, self.reject_button, self.keep_button))
        self.radius = _slider(LEAST_MM, MOST_MM, 0.5, " mm")
        self.radius.valueChanged.connect(lambda value: review.set_brush(radius_mm=float(value)))
        form.addRow(_("Brush radius:"), self.radius)
        self.threshold = _slider(0.0, GREATEST_THRESHOLD, 0.1, "")
        self.threshold.valueChanged.connect(lambda value: review.set_brush(threshold=float(value)))
        form.addRow(_("Threshold, z:"), self.threshold)
        self.grow_button = button(_("Grow (G)"), "", review.grow)
        self.shrink_button = button(_("Shrink (H)"), "", review.shrink)
        self.undo_button = button(_("Undo"), "", deciding.undo)
        self.redo_button = button(_("Redo"), "", deciding.redo)
        form.addRow(row(self.grow_button, self.shrink_button, self.undo_button, self.redo_button))
        review.brush_changed.connect(self._follow_brush)
        deciding.changed.connect(self._fill)
        self._follow_brush()
        self._fill()

    def close(self) -> None:
        """Follow no more."""
        self._review.brush_changed.disconnect(self._follow_brush)
        self._deciding.changed.disconnect(self._fill)

    def _go_to(self, number: int) -> None:
        if not self._filling and number >= 0:
            self._deciding.go_to(number + 1)

    def _fill(self) -> None:
        """Show findings and decisions; the current one is the selected row."""
        self._filling = True
        fill(self.table, self._deciding.rows())
        self.table.setCurrentCell(self._deciding.current - 1, 0)
        self._filling = False
        self.summary.text = self._deciding.summary()
        offers = self._deciding.offers()
        for each, name in (
            (self.previous_button, "previous"),
            (self.next_button, "next"),
            (self.accept_button, "accept"),
            (self.reject_button, "reject"),
            (self.keep_button, "keep"),
            (self.grow_button, "grow"),
            (self.shrink_button, "shrink"),
            (self.undo_button, "undo"),
            (self.redo_button, "redo"),
        ):
            follow(each, offers[name])

    def _follow_brush(self) -> None:
        for slider, value in ((self.radius, self._review.radius_mm), (self.threshold, self._review.threshold)):
            if slider.value != value:
                slider.value = value


def _slider(least: float, most: float, step: float, unit: str) -> Any:
    slider = ctk.ctkSliderWidget()
    slider.minimum = least
    slider.maximum = most
    slider.singleStep = step
    slider.decimals = 1
    slider.suffix = unit
    return slider
