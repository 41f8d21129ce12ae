"""The lesion mask as a segmentation node and back."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
import vtk
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PseudoNormalLib.scene.lesions import (
    LABELMAP,
    SEGMENT_ID,
    SURFACE,
    add_distrusted,
    distrusted_of,
    lesion_segment_id,
    mask_of,
    new_lesions,
    set_mask,
    show_surface,
)
from PseudoNormalLib.scene.volumes import new_volume
from Testing.scene.conftest import OBLIQUE, tilted


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    mask=hnp.arrays(bool, st.tuples(*[st.integers(1, 7)] * 3)),
    other=st.randoms(use_true_random=False),
    degrees_x=st.floats(-180, 180),
    degrees_z=st.floats(-180, 180),
    edges=st.tuples(*[st.floats(0.2, 6)] * 3),
)
def test_a_mask_comes_back_voxel_for_voxel(scene_host, mask, other, degrees_x, degrees_z, edges):
    grid = tilted(degrees_x, degrees_z, edges, (-90.5, 33.3, 812.1))
    image = new_volume(scene_host.scene, "scan", np.zeros(mask.shape, np.int16), grid)
    lesions = new_lesions(scene_host, image, mask, "lesions")
    np.testing.assert_array_equal(mask_of(lesions, image), mask)
    edited = mask.copy()
    edited.ravel()[other.randrange(mask.size)] ^= True
    set_mask(lesions, image, edited)
    np.testing.assert_array_equal(mask_of(lesions, image), edited)


def test_a_mask_can_be_emptied_and_filled_again(scene_host, a_volume_node, a_lesion_mask):
    lesions = new_lesions(scene_host, a_volume_node, a_lesion_mask, "lesions")
    set_mask(lesions, a_volume_node, np.zeros_like(a_lesion_mask))
    assert not mask_of(lesions, a_volume_node).any()
    set_mask(lesions, a_volume_node, a_lesion_mask)
    np.testing.assert_array_equal(mask_of(lesions, a_volume_node), a_lesion_mask)


def test_the_segment_is_a_lesion_of_the_brain_by_its_codes(scene_host, a_volume_node, a_lesion_mask):
    lesions = new_lesions(scene_host, a_volume_node, a_lesion_mask, "lesions")
    assert lesion_segment_id(lesions) == SEGMENT_ID
    tag = vtk.reference("")
    assert lesions.GetSegmentation().GetSegment(SEGMENT_ID).GetTag("TerminologyEntry", tag)
    assert "SCT^52988006^Lesion" in str(tag) and "SCT^12738006^Brain" in str(tag)


def test_in_a_segmentation_from_elsewhere_the_segment_coded_as_lesion_is_the_mask(scene_host, a_volume_node):
    lesions = new_lesions(scene_host, a_volume_node, np.ones((24, 40, 36), bool), "lesions")
    segmentation = lesions.GetSegmentation()
    coded = segmentation.GetSegment(SEGMENT_ID)
    brain = slicer.vtkSegment()
    foreign = slicer.vtkMRMLSegmentationNode()
    scene_host.scene.AddNode(foreign)
    foreign.GetSegmentation().SetSourceRepresentationName(LABELMAP)
    foreign.GetSegmentation().AddSegment(brain, "brain")
    assert lesion_segment_id(foreign) == "brain"
    foreign.GetSegmentation().AddSegment(coded, "Segment_2")
    assert lesion_segment_id(foreign) == "Segment_2"


def test_a_segmentation_without_segments_says_so(scene_host, a_volume_node):
    empty = scene_host.scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "nothing drawn")
    with pytest.raises(ValueError, match="nothing drawn: has no segment"):
        mask_of(empty, a_volume_node)


def test_a_segment_that_is_not_there_is_said_by_its_name(scene_host, a_volume_node, a_lesion_mask):
    lesions = new_lesions(scene_host, a_volume_node, a_lesion_mask, "lesions")
    with pytest.raises(ValueError, match="lesions: has no voxels for the segment oedema"):
        mask_of(lesions, a_volume_node, "oedema")


def test_editing_the_lesion_leaves_another_segment_that_overlaps_alone(scene_host, a_volume_node, a_lesion_mask):
    lesions = new_lesions(scene_host, a_volume_node, a_lesion_mask, "lesions")
    other = new_lesions(scene_host, a_volume_node, a_lesion_mask, "other")
    segment = other.GetSegmentation().GetSegment(SEGMENT_ID)
    lesions.GetSegmentation().AddSegment(segment, "oedema")
    set_mask(lesions, a_volume_node, ~a_lesion_mask)
    np.testing.assert_array_equal(mask_of(lesions, a_volume_node, "oedema"), a_lesion_mask)
    set_mask(lesions, a_volume_node, np.ones_like(a_lesion_mask))
    np.testing.assert_array_equal(mask_of(lesions, a_volume_node, "oedema"), a_lesion_mask)


def test_what_is_not_to_be_trusted_is_never_taken_for_the_lesion_mask(scene_host, a_volume_node, a_lesion_mask):
    lesions = new_lesions(scene_host, a_volume_node, a_lesion_mask, "lesions")
    assert not distrusted_of(lesions, a_volume_node).any()
    add_distrusted(lesions, a_volume_node, ~a_lesion_mask)
    assert (mask_of(lesions, a_volume_node) == a_lesion_mask).all()
    assert (distrusted_of(lesions, a_volume_node) == ~a_lesion_mask).all()
    lesions.GetSegmentation().RemoveSegment("lesion")
    with pytest.raises(ValueError, match="has no segment"):
        mask_of(lesions, a_volume_node)


def test_a_mask_of_another_shape_is_refused(scene_host, a_volume_node, a_lesion_mask):
    with pytest.raises(ValueError, match="scan: has the shape"):
        new_lesions(scene_host, a_volume_node, a_lesion_mask[1:], "lesions")
    lesions = new_lesions(scene_host, a_volume_node, a_lesion_mask, "lesions")
    with pytest.raises(ValueError, match="scan: has the shape"):
        set_mask(lesions, a_volume_node, a_lesion_mask[:, :, 1:])


def test_a_segmentation_moved_against_the_scan_is_read_where_it_stands(scene_host, a_volume_node, a_lesion_mask):
    lesions = new_lesions(scene_host, a_volume_node, a_lesion_mask, "lesions")
    transform = scene_host.scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "moved")
    shift = vtk.vtkMatrix4x4()
    shift.SetElement(0, 3, 3)  # three voxels along x, which is i here
    transform.SetMatrixTransformToParent(shift)
    lesions.SetAndObserveTransformNodeID(transform.GetID())
    np.testing.assert_array_equal(mask_of(lesions, a_volume_node), np.roll(a_lesion_mask, 3, axis=2))


def test_the_surface_encloses_the_lesion_where_the_lesion_is(scene_host, an_oblique_volume_node, a_lesion_mask):
    lesions = new_lesions(scene_host, an_oblique_volume_node, a_lesion_mask, "lesions")
    show_surface(lesions, True)
    surface = vtk.vtkPolyData()
    assert lesions.GetClosedSurfaceRepresentation(SEGMENT_ID, surface)
    points = np.argwhere(a_lesion_mask)[:, ::-1] @ OBLIQUE[:3, :3].T + OBLIQUE[:3, 3]
    bounds = np.array(surface.GetBounds()).reshape(3, 2)
    assert np.abs(bounds[:, 0] - points.min(axis=0)).max() < 3.3
    assert np.abs(bounds[:, 1] - points.max(axis=0)).max() < 3.3
    display = lesions.GetDisplayNode()
    assert display.GetVisibility3D() and display.GetPreferredDisplayRepresentationName3D() == SURFACE
    show_surface(lesions, False)
    assert not display.GetVisibility3D()


def test_the_surface_follows_the_edited_mask(scene_host, a_volume_node, a_lesion_mask):
    lesions = new_lesions(scene_host, a_volume_node, a_lesion_mask, "lesions")
    show_surface(lesions, True)
    set_mask(lesions, a_volume_node, np.zeros_like(a_lesion_mask))
    surface = vtk.vtkPolyData()
    lesions.GetClosedSurfaceRepresentation(SEGMENT_ID, surface)
    assert surface.GetNumberOfPoints() == 0
