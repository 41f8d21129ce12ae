"""Slicer's Segment Editor on the open case's mask; its undo stack is the review's too.

It draws the lesion, or where nobody shall trust the mask: retraining leaves those voxels out.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import qt
import slicer

from PseudoNormalLib.i18n import _
from PseudoNormalLib.panels.forms import follow, note, row, section
from PseudoNormalLib.review.bench import ReviewBench
from PseudoNormalLib.review.editing import UNDO_STEPS
from PseudoNormalLib.scene.case_nodes import CaseNodes
from PseudoNormalLib.scene.lesions import SEGMENT_ID

EDITOR = "PseudoNormalReview"
"""The singleton tag of the node that keeps the editor's settings."""


class WidgetHistory:
    """The Segment Editor widget's undo stack as a :class:`PseudoNormalLib.review.editing.History`."""

    def __init__(self, editor: Any) -> None:
        self._editor = editor

    @property
    def node(self) -> Any:
        """The node that keeps the editor's settings."""
        return self._editor.mrmlSegmentEditorNode()

    @contextmanager
    def step(self) -> Iterator[None]:
        """What is edited inside the block is one step to undo."""
        self._editor.saveStateForUndo()
        yield

    def undo(self) -> None:
        """Go back one state."""
        self._editor.undo()

    def redo(self) -> None:
        """Go forward one state."""
        self._editor.redo()

    def close(self) -> None:
        """Let go of the mask; the widget forgets its states with it."""
        self._editor.setActiveEffectByName("")
        self._editor.setSegmentationNode(None)
        self._editor.setSourceVolumeNode(None)


class EditorBox:
    """The Segment Editor for the mask of the open case.

    :ivar widget: the section.
    """

    def __init__(self, review: ReviewBench) -> None:
        scene = self._scene = review.host.scene
        self._drawing = review.drawing
        self.widget, form = section(_("Draw"), collapsed=True)
        self.lesion_button = self._segment_button(_("Lesion"), distrusted=False)
        self.distrusted_button = self._segment_button(_("Do not trust (D)"), distrusted=True)
        form.addRow(_("What to draw:"), row(self.lesion_button, self.distrusted_button))
        self.distrusted_note = note()
        form.addRow(self.distrusted_note)
        self.editor = slicer.qMRMLSegmentEditorWidget()
        self.editor.setMaximumNumberOfUndoStates(UNDO_STEPS)
        self.editor.setSegmentationNodeSelectorVisible(False)
        self.editor.setSourceVolumeNodeSelectorVisible(False)
        self.editor.setSwitchToSegmentationsButtonVisible(False)
        self.editor.setAddRemoveSegmentButtonsVisible(False)
        # The node before the scene: the widget then keeps its settings in this one.
        self.editor.setMRMLSegmentEditorNode(self._node())
        self.editor.setMRMLScene(scene)
        form.addRow(self.editor)
        self._drawing.changed.connect(self._follow)
        self._drawing.toggled.connect(self._unfold)
        self._follow()

    def history_of(self, case: CaseNodes) -> WidgetHistory:
        """Take a case's mask into the editor; see :data:`PseudoNormalLib.review.session.HistoryOf`."""
        self.editor.setMRMLSegmentEditorNode(self._node())  # closing the scene took the earlier one away
        self.editor.setSegmentationNode(case.lesions)
        self.editor.setSourceVolumeNode(case.image)
        self.editor.setCurrentSegmentID(SEGMENT_ID)
        return WidgetHistory(self.editor)

    def enter(self) -> None:
        """The panel is shown: the mouse draws in the views when an effect is chosen."""
        self.editor.setupViewObservations()

    def leave(self) -> None:
        """The panel is hidden: the mouse does what it did before."""
        self.editor.setActiveEffectByName("")
        self.editor.removeViewObservations()

    def close(self) -> None:
        """Let go of the scene."""
        self.leave()
        self._drawing.changed.disconnect(self._follow)
        self._drawing.toggled.disconnect(self._unfold)
        self.editor.setMRMLScene(None)

    def _segment_button(self, text: str, *, distrusted: bool) -> Any:
        made = qt.QPushButton(text)
        made.checkable = True
        made.clicked.connect(lambda *_: self._drawing.choose(distrusted=distrusted))
        return made

    def _follow(self) -> None:
        self.lesion_button.checked = self._drawing.mask is not None and not self._drawing.distrusts
        self.distrusted_button.checked = self._drawing.distrusts
        offers = self._drawing.offers()
        follow(self.lesion_button, offers["lesion"])
        follow(self.distrusted_button, offers["distrusted"])
        self.distrusted_note.text = self._drawing.line()
        self.distrusted_note.visible = bool(self._drawing.line())

    def _unfold(self) -> None:
        self.widget.collapsed = False

    def _node(self) -> Any:
        node = self._scene.GetSingletonNode(EDITOR, "vtkMRMLSegmentEditorNode")
        if node is None:
            node = self._scene.CreateNodeByClass("vtkMRMLSegmentEditorNode")
            node.UnRegister(None)
            node.SetSingletonTag(EDITOR)
            node = self._scene.AddNode(node)
        return node
