"""The findings of the open case, what is said about each, and the brush that follows the difference map."""

from __future__ import annotations

from typing import Any

import ctk

from PseudoNormalLib.i18n import _
from PseudoNormalLib.panels.forms import allow, button, note, row, section
from PseudoNormalLib.panels.tables import fill, plain_table
from PseudoNormalLib.review.bench import LEAST_MM, MOST_MM, ReviewBench
from PseudoNormalLib.review.decisions import Decision
from PseudoNormalLib.review.session import ReviewSession
from PseudoNormalLib.scene.findings import Finding

HEIGHT = 150  # px
GREATEST_THRESHOLD = 10.0  # robust z


class DecisionsBox:
    """Findings, one a row, with buttons for the current one.

    :ivar widget: the section.
    """

    def __init__(self, review: ReviewBench) -> None:
        self._review = review
        self._session: ReviewSession | None = None
        self._filling = False
        self.widget, form = section(_("Findings"))
        self.summary = note()
        form.addRow(self.summary)
        self.table = plain_table([_("No."), _("Place"), _("ml"), _("Peak z"), _("Said")], stretched=1, height=HEIGHT)
        self.table.currentCellChanged.connect(self._go_to)
        form.addRow(self.table)
        self.previous_button = button(_("Previous (P)"), "", lambda: self._do("previous"))
        self.next_button = button(_("Next (N)"), "", lambda: self._do("next"))
        self.accept_button = button(_("Accept (A)"), "", lambda: self._do("accept"))
        self.reject_button = button(_("Reject (X)"), "", lambda: self._do("reject"))
        self.keep_button = button(_("Keep (K)"), "", lambda: self._do("keep"))
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
        self.undo_button = button(_("Undo"), "", self._undo)
        self.redo_button = button(_("Redo"), "", self._redo)
        form.addRow(row(self.grow_button, self.shrink_button, self.undo_button, self.redo_button))
        review.brush_changed.connect(self._follow_brush)
        self._follow_brush()
        self.show(None)

    def show(self, session: ReviewSession | None) -> None:
        """Follow this case's findings; None: no case is open."""
        self._session = session
        if session is not None:
            session.walk.changed.connect(self._fill)
        self._fill()

    def close(self) -> None:
        """Follow no more."""
        self._review.brush_changed.disconnect(self._follow_brush)
        if self._session is not None:
            self._session.walk.changed.disconnect(self._fill)

    def _do(self, what: str) -> None:
        getattr(self._session.walk, what)()

    def _undo(self) -> None:
        self._session.editor.undo()

    def _redo(self) -> None:
        self._session.editor.redo()

    def _go_to(self, number: int) -> None:
        if not self._filling and self._session is not None and number >= 0:
            self._session.walk.go_to(number + 1)

    def _fill(self) -> None:
        """Show findings and decisions; the current one is the selected row."""
        walk = None if self._session is None else self._session.walk
        findings = [] if walk is None else walk.findings
        self._filling = True
        fill(self.table, [_cells(finding, walk.decision(finding.index)) for finding in findings])
        if walk is not None:
            self.table.setCurrentCell(walk.current - 1, 0)
        self._filling = False
        self.summary.text = self._summary()
        self._offer()

    def _summary(self) -> str:
        if self._session is None:
            return _("No case is open.")
        walk = self._session.walk
        still_open = sum(walk.decision(finding.index) is Decision.OPEN for finding in walk.findings)
        volume = sum(finding.volume_ml for finding in walk.findings)
        line = _("{count} findings, {volume} ml; {open} without a decision")
        return line.format(count=len(walk.findings), volume=f"{volume:.2f}", open=still_open)

    def _offer(self) -> None:
        closed = "" if self._session is not None else _("No case is open")
        walk = None if self._session is None else self._session.walk
        nothing = closed or ("" if walk.findings else _("There are no findings"))
        no_current = nothing or ("" if walk.current else _("Choose a finding first"))
        no_map = closed or ("" if walk.can_follow_difference else _("There is no difference map: regenerate first"))
        for each, tip, reason in (
            (self.previous_button, _("Go to the previous finding"), nothing),
            (self.next_button, _("Go to the next finding"), nothing),
            (self.accept_button, _("It is a lesion"), no_current),
            (self.reject_button, _("It is none: its voxels leave the mask; Undo brings them back"), no_current),
            (self.keep_button, _("Leave it in the mask without calling it a lesion"), no_current),
            (self.grow_button, _("Grow to the difference map; the key does so where the mouse is"), no_map),
            (self.shrink_button, _("Shrink to the difference map; the key does so where the mouse is"), no_map),
            (self.undo_button, _("Undo the last change of the mask (Ctrl+Z)"), closed),
            (self.redo_button, _("Redo what was undone (Ctrl+Y)"), closed),
        ):
            allow(each, tip, reason)

    def _follow_brush(self) -> None:
        for slider, value in ((self.radius, self._review.radius_mm), (self.threshold, self._review.threshold)):
            if slider.value != value:
                slider.value = value


def _cells(finding: Finding, decision: Decision) -> list[str]:
    said = {Decision.OPEN: "", Decision.ACCEPTED: _("accepted"), Decision.KEPT: _("kept")}
    return [
        str(finding.index),
        finding.position,
        f"{finding.volume_ml:.2f}",
        f"{finding.peak_z:+.1f}",
        said[decision],
    ]


def _slider(least: float, most: float, step: float, unit: str) -> Any:
    slider = ctk.ctkSliderWidget()
    slider.minimum = least
    slider.maximum = most
    slider.singleStep = step
    slider.decimals = 1
    slider.suffix = unit
    return slider
