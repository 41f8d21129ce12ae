"""Volume nodes as arrays and back."""

from __future__ import annotations

import numpy as np
import pytest
import vtk
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PseudoNormalLib.scene.volumes import (
    array_of,
    ijk_to_ras,
    new_volume,
    new_volume_like,
    points_to_ras,
    same_grid,
    set_array,
    to_world,
    voxel_ml,
)

DTYPES = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "float32", "float64")
SHAPES = st.tuples(*[st.integers(1, 5)] * 3)


@st.composite
def oblique_grids(draw):
    """Any rotation or reflection, anisotropic voxels, any origin."""
    numbers = st.floats(-1, 1, allow_subnormal=False)
    square = draw(hnp.arrays(np.float64, (3, 3), elements=numbers)) + 2 * np.eye(3)
    axes, _ = np.linalg.qr(square)
    matrix = np.eye(4)
    matrix[:3, :3] = axes * [draw(st.floats(0.2, 6)) for _ in range(3)]
    matrix[:3, 3] = [draw(st.floats(-500, 500)) for _ in range(3)]
    return matrix


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), matrix=oblique_grids(), dtype=st.sampled_from(DTYPES))
def test_voxels_and_grid_come_back_as_they_were_given(scene_host, data, matrix, dtype):
    array = data.draw(hnp.arrays(dtype, SHAPES, elements=hnp.from_dtype(np.dtype(dtype), allow_nan=False)))
    node = new_volume(scene_host.scene, "any", array, matrix)
    like = new_volume_like(node, "like it", array[:, ::-1])
    assert array_of(node).dtype == array.dtype
    np.testing.assert_array_equal(array_of(node), array)
    np.testing.assert_array_equal(array_of(like), array[:, ::-1])
    np.testing.assert_allclose(ijk_to_ras(node), matrix, rtol=0, atol=1e-9)
    np.testing.assert_allclose(ijk_to_ras(like), ijk_to_ras(node), rtol=1e-14, atol=1e-14)
    assert same_grid(node, like)
    corner = np.array(array.shape) - 1.0
    np.testing.assert_allclose(
        points_to_ras(ijk_to_ras(node), corner[None])[0], (matrix @ [*corner[::-1], 1])[:3], atol=1e-9
    )


def test_a_mask_becomes_ones_and_zeros(scene_host, a_lesion_mask, a_grid):
    node = new_volume(scene_host.scene, "mask", a_lesion_mask, a_grid)
    assert array_of(node).dtype == np.uint8
    np.testing.assert_array_equal(array_of(node), a_lesion_mask)


def test_an_array_that_was_not_contiguous_is_stored_in_its_order(scene_host, a_grid):
    array = np.arange(2 * 3 * 4, dtype=">i2").reshape(4, 3, 2).T
    node = new_volume(scene_host.scene, "turned", array, a_grid)
    np.testing.assert_array_equal(array_of(node), array)


def test_the_node_keeps_its_voxels_when_the_array_it_came_from_changes(scene_host, a_grid):
    array = np.ones((2, 3, 4), np.float32)
    node = new_volume(scene_host.scene, "copied", array, a_grid)
    array[:] = 7
    assert (array_of(node) == 1).all()


def test_other_voxels_leave_grid_and_display_as_they_are(a_volume_node):
    before = ijk_to_ras(a_volume_node)
    a_volume_node.GetDisplayNode().SetAutoWindowLevel(False)
    a_volume_node.GetDisplayNode().SetWindowLevel(123, 45)
    set_array(a_volume_node, np.zeros(array_of(a_volume_node).shape, np.float32))
    np.testing.assert_array_equal(ijk_to_ras(a_volume_node), before)
    assert array_of(a_volume_node).dtype == np.float32 and not array_of(a_volume_node).any()
    assert a_volume_node.GetDisplayNode().GetWindow() == 123


def test_a_volume_like_another_is_displayed_in_its_window(a_volume_node):
    a_volume_node.GetDisplayNode().SetAutoWindowLevel(False)
    a_volume_node.GetDisplayNode().SetWindowLevel(321, 54)
    like = new_volume_like(a_volume_node, "like", array_of(a_volume_node) * 2)
    assert (like.GetDisplayNode().GetWindow(), like.GetDisplayNode().GetLevel()) == (321, 54)


def test_an_array_of_another_shape_is_refused(a_volume_node):
    with pytest.raises(ValueError, match="scan: has the shape"):
        new_volume_like(a_volume_node, "wrong", np.zeros((2, 2, 2)))
    with pytest.raises(ValueError, match="scan: has the shape"):
        set_array(a_volume_node, np.zeros((2, 2, 2)))


def test_a_colour_image_and_an_empty_node_are_refused_in_words(scene_host):
    empty = scene_host.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "nothing")
    with pytest.raises(ValueError, match="nothing: holds no image"):
        array_of(empty)
    colour = scene_host.scene.AddNewNodeByClass("vtkMRMLVectorVolumeNode", "photo")
    image = vtk.vtkImageData()
    image.SetDimensions(2, 2, 2)
    image.AllocateScalars(vtk.VTK_UNSIGNED_CHAR, 3)
    colour.SetAndObserveImageData(image)
    with pytest.raises(ValueError, match="photo: has several numbers a voxel"):
        array_of(colour)


def test_grids_that_differ_are_told_apart(scene_host, a_grid):
    voxels = np.zeros((3, 4, 5), np.uint8)
    one = new_volume(scene_host.scene, "one", voxels, a_grid)
    moved = a_grid.copy()
    moved[0, 3] += 0.01
    assert same_grid(one, new_volume(scene_host.scene, "same", voxels, a_grid))
    assert not same_grid(one, new_volume(scene_host.scene, "moved", voxels, moved))
    assert not same_grid(one, new_volume(scene_host.scene, "larger", np.zeros((3, 4, 6)), a_grid))
    assert not same_grid(one, scene_host.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "empty"))


def test_a_result_moves_with_the_transform_of_its_scan(scene_host, a_volume_node):
    transform = scene_host.scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "moved")
    shift = vtk.vtkMatrix4x4()
    shift.SetElement(1, 3, 25)
    transform.SetMatrixTransformToParent(shift)
    a_volume_node.SetAndObserveTransformNodeID(transform.GetID())
    like = new_volume_like(a_volume_node, "like", array_of(a_volume_node))
    assert like.GetParentTransformNode() is transform
    assert to_world(like, (1.0, 2.0, 3.0)) == (1.0, 27.0, 3.0)


def test_a_voxels_volume_is_that_of_its_edges(a_grid):
    edges = np.linalg.norm(a_grid[:3, :3], axis=0)
    assert voxel_ml(a_grid) == pytest.approx(edges.prod() / 1000)
