"""The lesion mask as a segmentation node, and the mask back from it voxel for voxel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import slicer
import vtk
from vtk.util import numpy_support

if TYPE_CHECKING:
    from PseudoNormalLib.hosts import Host

SEGMENT_ID = "lesion"
COLOUR = (1.0, 0.77, 0.0)
"""Amber: neither red nor blue, which are the difference map's."""
DISTRUSTED_ID = "do_not_trust"
DISTRUSTED_COLOUR = (0.75, 0.35, 0.95)
"""Violet: no other mask's."""
TERMINOLOGY = "~".join(
    (
        "Segmentation category and type - 3D Slicer General Anatomy list",
        "SCT^49755003^Morphologically Altered Structure",
        "SCT^52988006^Lesion",
        "^^",
        "Anatomic codes - DICOM master list",
        "SCT^12738006^Brain",
        "^^",
    )
)
"""What the segment is, in SNOMED CT, in the form Slicer stores it: label identity never rests on a name."""
LABELMAP = slicer.vtkSegmentationConverter.GetSegmentationBinaryLabelmapRepresentationName()
SURFACE = slicer.vtkSegmentationConverter.GetSegmentationClosedSurfaceRepresentationName()


def new_lesions(host: Host, image: Any, mask: np.ndarray, name: str) -> Any:
    """A segmentation node with the whole lesion mask as one segment.

    :param host: has the segmentations logic, without which segmentation nodes know no way to a labelmap.
    :param image: the volume node whose grid the mask stands on.
    :param mask: (D, H, W) lesion mask.
    :returns: vtkMRMLSegmentationNode, outlined in slices.
    :raises ValueError: the mask has another shape than the image.
    """
    _check_shape(image, mask)
    node = host.scene.AddNewNodeByClass("vtkMRMLSegmentationNode", host.scene.GenerateUniqueName(name))
    node.SetReferenceImageGeometryParameterFromVolumeNode(image)
    node.SetAndObserveTransformNodeID(image.GetTransformNodeID())
    node.CreateDefaultDisplayNodes()
    segment = _segment("Lesion", COLOUR, image, mask)
    segment.SetTag(slicer.vtkSegment.GetTerminologyEntryTagName(), TERMINOLOGY)
    node.GetSegmentation().SetSourceRepresentationName(LABELMAP)
    node.GetSegmentation().AddSegment(segment, SEGMENT_ID)
    display = node.GetDisplayNode()
    display.SetVisibility2DFill(False)
    display.SetVisibility2DOutline(True)
    return node


def add_distrusted(lesions: Any, image: Any, distrusted: np.ndarray) -> None:
    """Give a lesion segmentation a second segment: where nobody shall trust its mask, whatever it says there.

    It may overlap the lesion, is shaded in slices and not seen in 3D.

    :param lesions: made by :func:`new_lesions`.
    :param distrusted: (D, H, W) on the image's grid; may be empty.
    :raises ValueError: it has another shape than the image.
    """
    _check_shape(image, distrusted)
    segment = _segment("Do not trust", DISTRUSTED_COLOUR, image, distrusted)
    lesions.GetSegmentation().AddSegment(segment, DISTRUSTED_ID)
    display = lesions.GetDisplayNode()
    display.SetVisibility2DFill(True)
    display.SetSegmentVisibility2DFill(SEGMENT_ID, False)
    display.SetSegmentOpacity2DFill(DISTRUSTED_ID, 0.6)
    display.SetSegmentVisibility3D(DISTRUSTED_ID, False)


def distrusted_of(lesions: Any, image: Any) -> np.ndarray:
    """Where a segmentation's mask is not to be trusted, (D, H, W) bool on the image's grid; see :func:`mask_of`."""
    if lesions.GetSegmentation().GetSegment(DISTRUSTED_ID) is None:
        return np.zeros(_shape(image), bool)
    return mask_of(lesions, image, DISTRUSTED_ID)


def lesion_segment_id(lesions: Any) -> str:
    """The id of the segment that holds the lesion mask.

    It is the one called ``SEGMENT_ID``; in a segmentation from elsewhere the one coded as a lesion, else its first.

    :raises ValueError: there is no segment.
    """
    segmentation = lesions.GetSegmentation()
    every = [segmentation.GetNthSegmentID(n) for n in range(segmentation.GetNumberOfSegments())]
    ids = [each for each in every if each != DISTRUSTED_ID]
    if not ids:
        raise ValueError(f"{lesions.GetName()}: has no segment; draw the lesion or choose another segmentation")
    coded = [each for each in ids if "SCT^52988006^" in _terminology(segmentation.GetSegment(each))]
    return next((each for each in ids if each == SEGMENT_ID), (coded or ids)[0])


def mask_of(lesions: Any, image: Any, segment_id: str | None = None) -> np.ndarray:
    """The lesion mask on the image's grid.

    :param image: the volume node that gives the grid; a segmentation on another grid is resampled to it (nearest).
    :param segment_id: by default that of :func:`lesion_segment_id`.
    :returns: (D, H, W) bool.
    :raises ValueError: there is no such segment.
    """
    wanted, segment_id = slicer.vtkOrientedImageData(), segment_id or lesion_segment_id(lesions)
    if not lesions.GetBinaryLabelmapRepresentation(segment_id, wanted):
        raise ValueError(
            f"{lesions.GetName()}: has no voxels for the segment {segment_id}; choose another segmentation"
        )
    grid = _grid(image)
    if wanted.IsEmpty():
        return np.zeros(grid.GetDimensions()[::-1], bool)
    between = vtk.vtkGeneralTransform()
    slicer.vtkMRMLTransformNode.GetTransformBetweenNodes(
        lesions.GetParentTransformNode(), image.GetParentTransformNode(), between
    )
    resampled = slicer.vtkOrientedImageData()
    slicer.vtkOrientedImageDataResample.ResampleOrientedImageToReferenceOrientedImage(
        wanted, grid, resampled, False, False, between
    )
    return numpy_support.vtk_to_numpy(resampled.GetPointData().GetScalars()).reshape(grid.GetDimensions()[::-1]) > 0


def set_mask(lesions: Any, image: Any, mask: np.ndarray, segment_id: str | None = None) -> None:
    """Replace the lesion mask; other segments stay.

    :param image: the volume node whose grid the mask stands on.
    :param mask: (D, H, W) lesion mask.
    :param segment_id: by default that of :func:`lesion_segment_id`.
    :raises ValueError: the mask has another shape than the image, or there is no segment.
    """
    _check_shape(image, mask)
    segment = segment_id or lesion_segment_id(lesions)
    replaced = slicer.vtkSlicerSegmentationsModuleLogic.SetBinaryLabelmapToSegment(
        _oriented(image, mask),
        lesions,
        segment,
        slicer.vtkSlicerSegmentationsModuleLogic.MODE_REPLACE,
    )
    if not replaced:
        raise ValueError(f"{lesions.GetName()}: the lesion mask could not be replaced")


def show_surface(lesions: Any, visible: bool) -> None:
    """Show or hide the lesion's surface in 3D views; it is made when it is first shown and kept up to date."""
    if visible:
        lesions.CreateClosedSurfaceRepresentation()
    display = lesions.GetDisplayNode()
    display.SetPreferredDisplayRepresentationName3D(SURFACE)
    display.SetVisibility3D(visible)


def surface_shown(lesions: Any | None) -> bool:
    """Whether the lesion's surface is to be seen in 3D views."""
    display = lesions.GetDisplayNode() if lesions is not None else None
    return bool(display and display.GetVisibility3D() and lesions.GetSegmentation().ContainsRepresentation(SURFACE))


def _terminology(segment: Any) -> str:
    text = vtk.reference("")
    return str(text) if segment.GetTag(slicer.vtkSegment.GetTerminologyEntryTagName(), text) else ""


def _segment(name: str, colour: tuple[float, float, float], image: Any, mask: np.ndarray) -> Any:
    segment = slicer.vtkSegment()
    segment.SetName(name)
    segment.SetColor(*colour)
    segment.AddRepresentation(LABELMAP, _oriented(image, mask))
    return segment


def _shape(image: Any) -> tuple[int, ...]:
    return tuple(image.GetImageData().GetDimensions()[::-1])


def _check_shape(image: Any, mask: np.ndarray) -> None:
    shape = _shape(image)
    if shape != mask.shape:
        raise ValueError(f"{image.GetName()}: has the shape {shape}, the mask given has {mask.shape}")


def _oriented(image: Any, mask: np.ndarray) -> Any:
    oriented = _grid(image)
    voxels = np.ascontiguousarray(mask, bool).view(np.uint8)
    oriented.GetPointData().SetScalars(numpy_support.numpy_to_vtk(voxels.ravel(), deep=True))
    return oriented


def _grid(image: Any) -> Any:
    """The image's grid without voxels."""
    grid = slicer.vtkOrientedImageData()
    grid.SetDimensions(image.GetImageData().GetDimensions())
    matrix = vtk.vtkMatrix4x4()
    image.GetIJKToRASMatrix(matrix)
    grid.SetGeometryFromImageToWorldMatrix(matrix)
    return grid
