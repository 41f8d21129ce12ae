"""One stroke of the Segment Editor's brush, as its effects do it, without its widget."""

from __future__ import annotations

from PseudoNormalLib.scene.lesions import SEGMENT_ID
from vtk.util.numpy_support import vtk_to_numpy


def stroke(host, lesions, voxels, segment=SEGMENT_ID, *, erase=False):
    """Paint or erase on the host's own editor, as one step to undo.

    :param voxels: (D, H, W) bool, what the brush passes over.
    :param segment: id of the segment that is drawn on.
    """
    editor = host.editor
    editor.SaveStateForUndo()
    editor.UpdateReferenceGeometryImage()
    assert editor.ResetModifierLabelmapToDefault()
    labelmap = editor.GetModifierLabelmap()
    vtk_to_numpy(labelmap.GetPointData().GetScalars()).reshape(voxels.shape)[...] = voxels
    labelmap.Modified()
    mode = editor.ModificationModeRemove if erase else editor.ModificationModeAdd
    editor.ModifySegmentByLabelmap(lesions, segment, labelmap, mode, False, False)
