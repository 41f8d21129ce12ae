"""Segmentations as ``.seg.nrrd``, with Slicer's names, colours and coded meanings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import slicer

from PseudoNormalLib.export.atomic import new_file
from PseudoNormalLib.export.errors import ExportError
from PseudoNormalLib.i18n import _
from PseudoNormalLib.scene.lesions import DISTRUSTED_ID


def write_segmentation(path: Path, lesions: Any, image: Any) -> None:
    """Write the segments of a segmentation node on the image's grid; neither node is changed.

    What a reviewer does not trust is left out: readers of masks take every segment for lesion.

    :param path: ends in .seg.nrrd; an earlier file is replaced.
    :param lesions: vtkMRMLSegmentationNode.
    :param image: vtkMRMLScalarVolumeNode whose grid the file has.
    :raises ExportError: the segmentation is empty, or the file cannot be written.
    """
    if not lesions.GetSegmentation().GetNumberOfSegments():
        raise ExportError(_("{name}: has no segment; draw the lesion first").format(name=lesions.GetName()))
    # A copy outside the scene: node and storage of the user's segmentation stay as they are.
    copy = slicer.vtkMRMLSegmentationNode()
    copy.GetSegmentation().DeepCopy(lesions.GetSegmentation())
    copy.GetSegmentation().RemoveSegment(DISTRUSTED_ID)
    copy.SetReferenceImageGeometryParameterFromVolumeNode(image)
    storage = slicer.vtkMRMLSegmentationStorageNode()
    with new_file(path) as temporary:
        storage.SetFileName(str(temporary))
        if not storage.WriteData(copy):
            raise ExportError(
                _("{path}: cannot be written; choose another folder or free some space").format(path=path)
            )
