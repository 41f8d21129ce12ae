"""Undo and redo of a mask that trame-slicer's tools and the review's logic change in turns."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import slicer
from PseudoNormalLib.observation import Observation
from PseudoNormalLib.review.editing import UNDO_STEPS
from PseudoNormalLib.scene.lesions import DISTRUSTED_ID, distrusted_of, lesion_segment_id, mask_of, set_mask
from undo_stack import UndoCommand, UndoStack

if TYPE_CHECKING:
    from PseudoNormalLib.scene.case_nodes import CaseNodes
    from trame_slicer.core import SegmentationEditor


class EditorHistory:
    """The steps of one case's mask as a :class:`PseudoNormalLib.review.editing.History`.

    The editor's own steps are copies of the whole segmentation, and bringing one back forgets how segments are shown.
    These keep bits: the editor has no stack, and each change that one of its tools has made is noted here.

    :param editor: trame-slicer's; the case's mask is what it edits until :meth:`close`.
    """

    def __init__(self, editor: SegmentationEditor, case: CaseNodes) -> None:
        self._editor = editor
        self._image, self._lesions = case.image, case.lesions
        editor.set_active_segmentation(case.lesions, case.image)
        self.node: Any = editor.editor_node
        self.node.SetSelectedSegmentID(lesion_segment_id(case.lesions))
        self._select()
        self._stack = UndoStack(undo_limit=UNDO_STEPS)
        self._touched = self._waiting = False
        self._known = self._look()
        changed = slicer.vtkSegmentation.SourceRepresentationModified
        self._observations = (
            Observation(case.lesions.GetSegmentation(), changed, self._touch),
            Observation(self.node, "ModifiedEvent", self._select),
        )
        editor.segmentation_modified.connect(self._settle)

    @contextmanager
    def step(self) -> Iterator[None]:
        """What is edited inside the block is one step to undo."""
        self._settle()
        with self._held():
            yield
        self._settle()

    def undo(self) -> None:
        """Go back one state; nothing happens at the oldest."""
        self._settle()
        self._stack.undo()

    def redo(self) -> None:
        """Go forward one state; nothing happens at the newest."""
        self._settle()
        self._stack.redo()

    def close(self) -> None:
        """Let go of the mask and forget all states."""
        self._editor.segmentation_modified.disconnect(self._settle)
        for observation in self._observations:
            observation.stop()
        self._editor.deactivate_effect()
        self._stack.clear()

    def put(self, state: _State) -> None:
        """Bring a state back."""
        pairs = (
            (lesion_segment_id(self._lesions), state.mask, self._known.mask),
            (DISTRUSTED_ID, state.distrusted, self._known.distrusted),
        )
        with self._held():
            for segment, wanted, there in pairs:
                if not np.array_equal(wanted, there):
                    set_mask(self._lesions, self._image, _unpacked(wanted, state.shape), segment)
        self._known, self._touched = state, False

    @contextmanager
    def _held(self) -> Iterator[None]:
        """What is done inside the block is not looked at before it is whole."""
        self._waiting = True
        try:
            yield
        finally:
            self._waiting = False

    def _touch(self, *_event: Any) -> None:
        self._touched = True

    def _select(self, *_event: Any) -> None:
        """The editor's tools draw the segment that its node names."""
        chosen = self.node.GetSelectedSegmentID()
        if chosen and chosen != self._editor.active_segment_id:
            self._editor.set_active_segment_id(chosen)

    def _settle(self) -> None:
        """Note what has been done since the last time as one step; the same voxels are none."""
        if not self._touched or self._waiting:
            return
        self._touched = False
        before, after = self._known, self._look()
        if not after.same(before):
            self._known = after
            self._stack.push(_Step(self, before, after))

    def _look(self) -> _State:
        mask, distrusted = mask_of(self._lesions, self._image), distrusted_of(self._lesions, self._image)
        return _State(np.packbits(mask), np.packbits(distrusted), mask.shape)


@dataclass(frozen=True, eq=False)
class _State:
    """Both segments, eight voxels a byte."""

    mask: np.ndarray
    distrusted: np.ndarray
    shape: tuple[int, ...]

    def same(self, other: _State) -> bool:
        return np.array_equal(self.mask, other.mask) and np.array_equal(self.distrusted, other.distrusted)


class _Step(UndoCommand):
    def __init__(self, history: EditorHistory, before: _State, after: _State) -> None:
        super().__init__()
        self._history, self._before, self._after = history, before, after

    def undo(self) -> None:
        self._history.put(self._before)

    def redo(self) -> None:
        self._history.put(self._after)


def _unpacked(bits: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    return np.unpackbits(bits, count=int(np.prod(shape))).reshape(shape).astype(bool)
