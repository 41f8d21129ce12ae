"""The panel of the module PseudoNormalReview, put together from its boxes."""

from __future__ import annotations

from typing import Any

import qt

from PseudoNormalLib.i18n import _
from PseudoNormalLib.panels.comparison_box import ComparisonBox
from PseudoNormalLib.panels.decisions_box import DecisionsBox
from PseudoNormalLib.panels.editor_box import EditorBox
from PseudoNormalLib.panels.forms import research_notice, section
from PseudoNormalLib.panels.readings_box import ReadingsBox
from PseudoNormalLib.panels.regenerate_box import RegenerateBox
from PseudoNormalLib.panels.shortcuts import Shortcuts
from PseudoNormalLib.panels.store_box import StoreBox
from PseudoNormalLib.panels.verdict_box import VerdictBox
from PseudoNormalLib.panels.worklist_box import WorklistBox
from PseudoNormalLib.review.actions import actions
from PseudoNormalLib.review.bench import ReviewBench
from PseudoNormalLib.review.keys import help_text, shortcuts


class ReviewPanel:
    """What the annotator sees: cases, findings, the Segment Editor, comparison, other readings, the decision.

    :param review: does the work.
    :ivar widget: the panel.
    """

    def __init__(self, review: ReviewBench) -> None:
        self._review = review
        self.store = StoreBox(review)
        self.worklist = WorklistBox(review)
        self.decisions = DecisionsBox(review)
        self.verdict = VerdictBox(review)
        self.editor = EditorBox(review)
        self.comparison = ComparisonBox(review.bench.comparison, review.bench.flicker)
        self.readings = ReadingsBox(review)
        self.regenerate = RegenerateBox(review)
        self.keys, form = section(_("Keys (?)"), collapsed=True)
        self.help = qt.QPlainTextEdit()
        self.help.readOnly = True
        self.help.plainText = help_text()
        form.addRow(self.help)
        self.widget = qt.QWidget()
        layout = qt.QVBoxLayout(self.widget)
        layout.setContentsMargins(0, 0, 0, 0)
        self._boxes = (
            self.store,
            self.worklist,
            self.decisions,
            self.verdict,
            self.editor,
            self.comparison,
            self.readings,
            self.regenerate,
        )
        for box in self._boxes:
            layout.addWidget(box.widget)
        layout.addWidget(self.keys)
        layout.addWidget(research_notice())
        layout.addStretch(1)
        review.desk.history_of = self.editor.history_of
        does = actions(review, self._help)
        self._shortcuts = Shortcuts({shortcut.key: does[shortcut.action] for shortcut in shortcuts()})
        self._signals = (
            (review.desk.opened, self._offer),
            (review.desk.closing, self._offer),
            (review.desk.closed, self._offer),
            (review.bench.connection.changed, self._offer),
            (review.signed, self._offer),
        )
        for signal, listener in self._signals:
            signal.connect(listener)

    def enter(self) -> None:
        """The panel is shown: keys hold, the mouse may draw, the cases are listed."""
        self._shortcuts.install()
        self.editor.enter()
        self._review.wake()
        self._offer()

    def leave(self) -> None:
        """The panel is hidden: keys and mouse do again what they did before."""
        self._shortcuts.remove()
        self.editor.leave()

    def close(self) -> None:
        """Let go of everything; the panel is not used again."""
        self.leave()
        for signal, listener in self._signals:
            signal.disconnect(listener)
        for box in self._boxes:
            box.close()

    def _help(self) -> None:
        self.keys.collapsed = not self.keys.collapsed

    def _offer(self, *_state: Any) -> None:
        self.worklist.offer()
        self.regenerate.offer()
