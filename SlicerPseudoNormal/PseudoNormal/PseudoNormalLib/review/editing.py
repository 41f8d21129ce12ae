"""One lesion mask under the annotator's hands: what it is now, replacing it, undo and redo.

With the mask goes what nobody shall trust of it: a second segment, which may overlap the lesion.

Undo and redo are the Segment Editor's own history, so that what is painted by hand and what this module does lie on
one stack. It gives back every voxel exactly (tested), so none of our own is needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import slicer
import vtk

from PseudoNormalLib.observation import Observation
from PseudoNormalLib.scene.lesions import DISTRUSTED_ID, distrusted_of, lesion_segment_id, mask_of, set_mask
from PseudoNormalLib.signals import Signal

if TYPE_CHECKING:
    from PseudoNormalLib.hosts import Host

UNDO_STEPS = 20
LOOK_SECONDS = 0.3
"""How often a mask that something has touched is looked at: a brush stroke touches it dozens of times a second."""


class History(Protocol):
    """The stack of states that undo and redo walk on."""

    @property
    def node(self) -> Any:
        """The editor's vtkMRMLSegmentEditorNode, which knows the segment that brushes change."""
        ...

    def step(self) -> AbstractContextManager[None]:
        """What is edited inside the block is one step to undo."""
        ...

    def undo(self) -> None:
        """Go back one state; nothing happens at the oldest."""
        ...

    def redo(self) -> None:
        """Go forward one state; nothing happens at the newest."""
        ...

    def close(self) -> None:
        """Forget all states."""
        ...


class EditorHistory:
    """The history of the host's own segment editor logic: where there is no Segment Editor widget."""

    def __init__(self, host: Host, image: Any, lesions: Any) -> None:
        self._scene = host.scene
        self._editor = host.editor
        self.node = host.scene.AddNewNodeByClass("vtkMRMLSegmentEditorNode", "PseudoNormalReview editor")
        self._editor.SetSegmentEditorNode(self.node)
        self._editor.SetSegmentationNode(lesions)
        self._editor.SetSourceVolumeNode(image)
        self._editor.SetCurrentSegmentID(lesion_segment_id(lesions))
        self._editor.SetMaximumNumberOfUndoStates(UNDO_STEPS)

    @contextmanager
    def step(self) -> Iterator[None]:
        """See :class:`History`."""
        self._editor.SaveStateForUndo()
        yield

    def undo(self) -> None:
        """See :class:`History`."""
        self._editor.Undo()

    def redo(self) -> None:
        """See :class:`History`."""
        self._editor.Redo()

    def close(self) -> None:
        """See :class:`History`."""
        self._editor.ClearUndoState()
        self._editor.SetSegmentEditorNode(None)
        self._scene.RemoveNode(self.node)


class MaskEditor:
    """The lesion mask of one case, whoever edits it: this module, the Segment Editor's effects, undo or redo.

    ``changed`` is emitted after the mask's voxels have changed, ``distrust_changed`` after those that are not to be
    trusted have, at once for edits through this class and within ``LOOK_SECONDS`` for those of others; ``chosen`` when
    brushes change another segment than before.
    """

    def __init__(self, host: Host, image: Any, lesions: Any, *, history: History | None = None) -> None:
        self.changed = Signal()
        self.distrust_changed = Signal()
        self.chosen = Signal()
        self.image = image
        self.lesions = lesions
        self._history = history or EditorHistory(host, image, lesions)
        self._mask = mask_of(lesions, image)
        self._distrusted = distrusted_of(lesions, image)
        self._touched = False
        # A voxel is lesion or not, and to be trusted or not: drawing the one must not erase the other.
        self._history.node.SetOverwriteMode(slicer.vtkMRMLSegmentEditorNode.OverwriteNone)
        self._distrusts = self.distrusts
        segmentation = lesions.GetSegmentation()
        # Undo and redo tell of the segment, edits of its source representation.
        events = (slicer.vtkSegmentation.SourceRepresentationModified, slicer.vtkSegmentation.SegmentModified)
        self._observations = [Observation(segmentation, event, self._touch) for event in events]
        self._observations.append(
            Observation(self._history.node, vtk.vtkCommand.ModifiedEvent, self._look_what_is_chosen)
        )
        self._stop = host.tick(self._look_if_touched, LOOK_SECONDS)

    @property
    def mask(self) -> np.ndarray:
        """(D, H, W) bool on the image's grid, as last looked at. Not to be written to."""
        return self._mask

    @property
    def distrusted(self) -> np.ndarray:
        """(D, H, W) bool, where the mask is not to be trusted, as last looked at. Not to be written to."""
        return self._distrusted

    @property
    def distrusts(self) -> bool:
        """Whether brushes change what is not to be trusted instead of the mask."""
        return self._history.node.GetSelectedSegmentID() == DISTRUSTED_ID

    def choose(self, *, distrusted: bool) -> None:
        """Have brushes change what is not to be trusted, or the mask."""
        self._history.node.SetSelectedSegmentID(DISTRUSTED_ID if distrusted else lesion_segment_id(self.lesions))

    def replace(self, mask: np.ndarray, distrusted: np.ndarray | None = None) -> None:
        """Put another mask in its place, as one step to undo; the same mask is no step.

        :param mask: (D, H, W) bool.
        :param distrusted: (D, H, W) bool, where it is not to be trusted; None: as before.
        """
        self.look()
        distrusted = self._distrusted if distrusted is None else distrusted
        if np.array_equal(mask, self._mask) and np.array_equal(distrusted, self._distrusted):
            return
        with self._history.step():
            set_mask(self.lesions, self.image, mask)
            if not np.array_equal(distrusted, self._distrusted):
                set_mask(self.lesions, self.image, distrusted, DISTRUSTED_ID)
        self.look()

    def undo(self) -> None:
        """Go back one step."""
        self._history.undo()
        self.look()

    def redo(self) -> None:
        """Go forward one step."""
        self._history.redo()
        self.look()

    def look(self) -> None:
        """Read the voxels now, and tell if they have changed."""
        self._touched = False
        mask, distrusted = mask_of(self.lesions, self.image), distrusted_of(self.lesions, self.image)
        doubted = not np.array_equal(distrusted, self._distrusted)
        if doubted:
            self._distrusted = distrusted
        if not np.array_equal(mask, self._mask):
            self._mask = mask
            self.changed.emit()
        if doubted:
            self.distrust_changed.emit()

    def close(self) -> None:
        """Let go of the nodes."""
        self._stop()
        for observation in self._observations:
            observation.stop()
        self._history.close()

    def _touch(self, _segmentation: Any, _event: str) -> None:
        self._touched = True

    def _look_what_is_chosen(self, _node: Any, _event: str) -> None:
        if self.distrusts != self._distrusts:
            self._distrusts = self.distrusts
            self.chosen.emit()

    def _look_if_touched(self) -> None:
        if self._touched:
            self.look()
