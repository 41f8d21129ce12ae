"""Going to a place and back."""

from __future__ import annotations

import numpy as np
import pytest
import vtk
from PseudoNormalLib.scene.findings import measure
from PseudoNormalLib.scene.layout import Arrangement, show_layout, slice_nodes
from PseudoNormalLib.scene.navigation import jump_to, jump_to_finding, place
from PseudoNormalLib.scene.volumes import ijk_to_ras, new_volume


def pixel(view, ras):
    """Where a place is in a view: pixels from the left and from below, and how far off the slice."""
    inverse = vtk.vtkMatrix4x4()
    vtk.vtkMatrix4x4.Invert(view.GetXYToRAS(), inverse)
    return np.array(inverse.MultiplyPoint((*ras, 1)))[:3]


@pytest.fixture
def scene(scene_host):
    show_layout(scene_host.scene, Arrangement.GRID)
    for view in slice_nodes(scene_host.scene):
        view.SetDimensions(200, 200, 1)
        view.SetFieldOfView(100, 100, 1)
    return scene_host.scene


def test_all_views_go_through_the_place(scene):
    red = scene.AddNewNodeByClass("vtkMRMLSliceNode", "Red")
    red.SetOrientation("Axial")
    jump_to(scene, (12.0, -20.0, 31.0))
    for view in slice_nodes(scene):
        assert pixel(view, (12, -20, 31))[2] == pytest.approx(0, abs=1e-6)
    assert red.GetSliceOffset() == pytest.approx(31.0)
    assert place(scene) == pytest.approx((12.0, -20.0, 31.0))


def test_a_place_that_is_in_view_does_not_move_the_picture(scene):
    axial = slice_nodes(scene, "image")[0]
    before = pixel(axial, (0, 0, 0))[:2]
    jump_to(scene, (10.0, 15.0, 25.0))
    np.testing.assert_allclose(pixel(axial, (0, 0, 25))[:2], before, atol=1e-6)


def test_a_place_out_of_view_comes_to_the_middle(scene):
    jump_to(scene, (300.0, -200.0, 150.0))
    for view in slice_nodes(scene):
        np.testing.assert_allclose(pixel(view, (300, -200, 150)), (100, 100, 0), atol=1)


@pytest.mark.parametrize("moved", [False, True])
def test_a_finding_is_gone_to_where_it_is_shown(scene_host, scene, a_scan_array, a_lesion_mask, a_grid, moved):
    image = new_volume(scene, "scan", a_scan_array, a_grid)
    if moved:
        transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "moved")
        shift = vtk.vtkMatrix4x4()
        shift.SetElement(2, 3, 7)
        transform.SetMatrixTransformToParent(shift)
        image.SetAndObserveTransformNodeID(transform.GetID())
    mask = a_lesion_mask
    (finding, _), _ = measure(mask, ijk_to_ras(image), mask.astype(np.float32), 0.0)
    jump_to_finding(image, finding)
    r, a, s = (a_grid @ [27, 20, 12, 1])[:3]
    for view in slice_nodes(scene):
        x, y, off = pixel(view, (r, a, s + 7 * moved))
        assert 0 <= x < 200 and 0 <= y < 200 and off == pytest.approx(0, abs=1e-6)


def test_the_camera_turns_to_the_place_from_where_it_looks(scene):
    camera = scene.AddNewNodeByClass("vtkMRMLCameraNode", "camera")
    camera.SetPosition(0, 500, 0)
    camera.SetFocalPoint(0, 0, 0)
    jump_to(scene, (12.0, -20.0, 31.0))
    assert camera.GetFocalPoint() == pytest.approx((12, -20, 31))
    assert camera.GetPosition() == pytest.approx((12, 480, 31))
