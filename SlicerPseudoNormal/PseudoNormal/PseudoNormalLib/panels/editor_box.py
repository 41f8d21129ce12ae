"""Slicer's Segment Editor on the open case's mask; its undo stack is the review's too.

It draws the lesion, or where nobody shall trust the mask: retraining leaves those voxels out.
"""

from __future__ import annotations

from typing import Any

import qt
import slicer

from PseudoNormalLib.i18n import _
from PseudoNormalLib.panels.forms import allow, note, row, section
from PseudoNormalLib.review.editing import UNDO_STEPS, MaskEditor
from PseudoNormalLib.review.session import ReviewSession
from PseudoNormalLib.scene.case_nodes import CaseNodes
from PseudoNormalLib.scene.lesions import SEGMENT_ID
from PseudoNormalLib.scene.volumes import ijk_to_ras, voxel_ml

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
        self._mask: MaskEditor | None = None
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
        self.show(None)

    def history_of(self, case: CaseNodes) -> WidgetHistory:
        """Take a case's mask into the editor; see :data:`PseudoNormalLib.review.session.HistoryOf`."""
        self.editor.setMRMLSegmentEditorNode(self._node())  # closing the scene took the earlier one away
        self.editor.setSegmentationNode(case.lesions)
        self.editor.setSourceVolumeNode(case.image)
        self.editor.setCurrentSegmentID(SEGMENT_ID)
        return WidgetHistory(self.editor)

    def show(self, session: ReviewSession | None) -> None:
        """Follow what is drawn in this case; None: no case is open."""
        self._forget()
        self._mask = None if session is None else session.editor
        if self._mask is not None:
            self._mask.chosen.connect(self._follow)
            self._mask.distrust_changed.connect(self._follow)
        self._follow()

    def toggle(self) -> None:
        """Draw what is not to be trusted, or the lesion again."""
        if self._mask is not None:
            self._mask.choose(distrusted=not self._mask.distrusts)
            self.widget.collapsed = False

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
        self._forget()
        self.editor.setMRMLScene(None)

    def _segment_button(self, text: str, *, distrusted: bool) -> Any:
        made = qt.QPushButton(text)
        made.checkable = True
        made.clicked.connect(lambda *_: self._choose(distrusted=distrusted))
        return made

    def _choose(self, *, distrusted: bool) -> None:
        self._mask.choose(distrusted=distrusted)
        self._follow()

    def _follow(self) -> None:
        mask = self._mask
        self.lesion_button.checked = mask is not None and not mask.distrusts
        self.distrusted_button.checked = mask is not None and mask.distrusts
        closed = "" if mask is not None else _("No case is open")
        allow(self.lesion_button, _("Brushes change the lesion mask"), closed)
        allow(self.distrusted_button, _("Brushes mark where nobody shall trust the mask"), closed)
        drawn = None if mask is None else mask.distrusted.sum() * voxel_ml(ijk_to_ras(mask.image))
        line = _("{volume} ml are not to be trusted: retraining leaves them out. The lesion mask stays as it is there.")
        self.distrusted_note.text = line.format(volume=f"{drawn:.2f}") if drawn else ""
        self.distrusted_note.visible = bool(drawn)

    def _forget(self) -> None:
        if self._mask is not None:
            self._mask.chosen.disconnect(self._follow)
            self._mask.distrust_changed.disconnect(self._follow)

    def _node(self) -> Any:
        node = self._scene.GetSingletonNode(EDITOR, "vtkMRMLSegmentEditorNode")
        if node is None:
            node = self._scene.CreateNodeByClass("vtkMRMLSegmentEditorNode")
            node.UnRegister(None)
            node.SetSingletonTag(EDITOR)
            node = self._scene.AddNode(node)
        return node
