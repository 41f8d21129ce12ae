"""The Review tab, put together from its boxes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PseudoNormalLib.review import actions

from PseudoNormalWeb.parts.review.annotator import AnnotatorBox
from PseudoNormalWeb.parts.review.decisions import DecisionsBox
from PseudoNormalWeb.parts.review.editor import EditorBox
from PseudoNormalWeb.parts.review.readings import ReadingsBox
from PseudoNormalWeb.parts.review.regenerate import RegenerateBox
from PseudoNormalWeb.parts.review.verdict import VerdictBox
from PseudoNormalWeb.parts.review.worklist import WorklistBox

if TYPE_CHECKING:
    from PseudoNormalWeb.window.window import Window


class ReviewPart:
    """What the annotator sees: cases, findings, tools, the decision, other readings."""

    def __init__(self, window: Window) -> None:
        self._review = window.review
        self._boxes = (
            AnnotatorBox(window),
            WorklistBox(window),
            DecisionsBox(window),
            EditorBox(window),
            VerdictBox(window),
            ReadingsBox(window),
            RegenerateBox(window),
        )

    def build(self) -> None:
        """Make the widgets, inside the trame layout that is open."""
        for box in self._boxes:
            box.build()

    def enter(self) -> None:
        """The tab is shown: what was left behind is brought in and the cases are listed."""
        self._review.wake()

    def actions(self, show_keys: Callable[[], Any]) -> dict[str, Callable[[], Any]]:
        """What the keys do in this tab, see :func:`PseudoNormalLib.review.actions.actions`."""
        return actions.actions(self._review, show_keys)

    def close(self) -> None:
        """Let go of the logic's signals; the part is not used again."""
        for box in self._boxes:
            box.close()
