"""The panel of the module PseudoNormalReview, put together from its boxes."""

from __future__ import annotations

from collections.abc import Callable
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
from PseudoNormalLib.review.bench import BRUSH_STEP, ReviewBench
from PseudoNormalLib.review.keys import help_text, shortcuts
from PseudoNormalLib.review.session import ReviewSession


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
        self.editor = EditorBox(review.host.scene)
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
        boxes = (
            self.store,
            self.worklist,
            self.decisions,
            self.verdict,
            self.editor,
            self.comparison,
            self.readings,
            self.regenerate,
        )
        for box in boxes:
            layout.addWidget(box.widget)
        layout.addWidget(self.keys)
        layout.addWidget(research_notice())
        layout.addStretch(1)
        review.desk.history_of = self.editor.history_of
        self._shortcuts = Shortcuts({shortcut.key: self._actions()[shortcut.action] for shortcut in shortcuts()})
        self._signals = (
            (review.desk.opened, self._opened),
            (review.desk.closing, self._closing),
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
        for box in (self.store, self.worklist, self.decisions, self.editor, self.comparison, self.regenerate):
            box.close()

    def _actions(self) -> dict[str, Callable[[], Any]]:
        """What to do by the names in :mod:`PseudoNormalLib.review.keys`; without an open case nothing happens."""
        review = self._review

        def with_case(action: Callable[[ReviewSession], Any]) -> Callable[[], Any]:
            return lambda: action(review.session) if review.session is not None else None

        return {
            "next_finding": with_case(lambda session: session.walk.next()),
            "previous_finding": with_case(lambda session: session.walk.previous()),
            "accept_finding": with_case(lambda session: session.walk.accept()),
            "reject_finding": with_case(lambda session: session.walk.reject()),
            "keep_finding": with_case(lambda session: session.walk.keep()),
            "grow": review.grow,
            "shrink": review.shrink,
            "distrust": self.editor.toggle,
            "larger_brush": lambda: review.set_brush(radius_mm=review.radius_mm * BRUSH_STEP),
            "smaller_brush": lambda: review.set_brush(radius_mm=review.radius_mm / BRUSH_STEP),
            "flicker": review.bench.flicker.toggle,
            "undo": with_case(lambda session: session.editor.undo()),
            "redo": with_case(lambda session: session.editor.redo()),
            "save": self.verdict.save,
            "accept_case": self.verdict.accept,
            "help": self._help,
        }

    def _help(self) -> None:
        self.keys.collapsed = not self.keys.collapsed

    def _opened(self, session: ReviewSession) -> None:
        self.decisions.show(session)
        self.editor.show(session)
        self._follow()
        self.worklist.say(_("Open: {case}").format(case=session.id))

    def _closing(self) -> None:
        self.decisions.show(None)
        self.editor.show(None)
        self._follow()

    def _follow(self) -> None:
        self.readings.show()
        self.verdict.show()
        self._offer()

    def _offer(self, *_state: Any) -> None:
        self.worklist.offer()
        self.regenerate.offer()
