"""Slicer's Segment Editor on the open case's mask; its undo stack is the review's too."""

from __future__ import annotations

from typing import Any

import slicer

from PseudoNormalLib.i18n import _
from PseudoNormalLib.panels.forms import section
from PseudoNormalLib.review.editing import UNDO_STEPS
from PseudoNormalLib.scene.case_nodes import CaseNodes
from PseudoNormalLib.scene.lesions import SEGMENT_ID

EDITOR = "PseudoNormalReview"
"""The singleton tag of the node that keeps the editor's settings."""


class WidgetHistory:
    """The Segment Editor widget's undo stack as a :class:`PseudoNormalLib.review.editing.History`."""

    def __init__(self, editor: Any) -> None:
        self._editor = editor

    def save(self) -> None:
        """Remember the state before an edit."""
        self._editor.saveStateForUndo()

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

    def __init__(self, scene: Any) -> None:
        self._scene = scene
        self.widget, form = section(_("Draw"), collapsed=True)
        self.editor = slicer.qMRMLSegmentEditorWidget()
        self.editor.setMaximumNumberOfUndoStates(UNDO_STEPS)
        self.editor.setSegmentationNodeSelectorVisible(False)
        self.editor.setSourceVolumeNodeSelectorVisible(False)
        self.editor.setSwitchToSegmentationsButtonVisible(False)
        # The node before the scene: the widget then keeps its settings in this one.
        self.editor.setMRMLSegmentEditorNode(self._node())
        self.editor.setMRMLScene(scene)
        form.addRow(self.editor)

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
        self.editor.setMRMLScene(None)

    def _node(self) -> Any:
        node = self._scene.GetSingletonNode(EDITOR, "vtkMRMLSegmentEditorNode")
        if node is None:
            node = self._scene.CreateNodeByClass("vtkMRMLSegmentEditorNode")
            node.UnRegister(None)
            node.SetSingletonTag(EDITOR)
            node = self._scene.AddNode(node)
        return node
