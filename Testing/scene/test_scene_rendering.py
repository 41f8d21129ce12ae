"""What one sees: pixels of the columns, without a window."""

from __future__ import annotations

import numpy as np
import pytest
import vtk
from PseudoNormalLib.scene.comparison import Comparison
from PseudoNormalLib.scene.layout import Arrangement, slice_nodes
from PseudoNormalLib.scene.lesions import add_distrusted, set_mask, show_surface
from PseudoNormalLib.scene.navigation import jump_to
from PseudoNormalLib.scene.rendering import GAP, blend_slice, render_3d, render_columns, render_slice, write_png
from PseudoNormalLib.scene.volumes import new_volume
from scipy import ndimage
from Testing.scene.conftest import make_case

SIZE = (160, 160)
LARGE, SMALL, TISSUE = (27, 20, 12), (8, 14, 10), (18, 30, 12)
"""Voxels (i, j, k) in the bright lesion, in the dark one, and in normal tissue."""


def graphics():
    """Whether pictures of more than the volumes can be made here."""
    window = vtk.vtkRenderWindow()
    window.SetOffScreenRendering(True)
    return bool(window.SupportsOpenGL())


needs_graphics = pytest.mark.skipif("not graphics()", reason="no OpenGL, not even in software")


def colour_at(host, column, grid, voxel):
    """RGBA of a voxel in the first view of a column."""
    ras = grid @ [*voxel, 1.0]
    jump_to(host.scene, tuple(ras[:3]))
    view = slice_nodes(host.scene, column)[0]
    picture = blend_slice(host, view, SIZE)
    inverse = vtk.vtkMatrix4x4()
    vtk.vtkMatrix4x4.Invert(view.GetXYToRAS(), inverse)
    x, y, _, _ = inverse.MultiplyPoint(tuple(ras))
    return picture[SIZE[1] - 1 - round(y), round(x)].astype(int)


@pytest.fixture
def shown(scene_host, a_scan_array, a_lesion_mask, a_grid):
    """A comparison of a case with a black-to-white window of 0 to 1000, opaque overlay of |z| >= 2, fitted in."""
    image = new_volume(scene_host.scene, "scan", a_scan_array, a_grid)
    image.GetDisplayNode().SetAutoWindowLevel(False)
    image.GetDisplayNode().SetWindowLevel(1000, 500)
    case = make_case(scene_host, image, a_scan_array, a_lesion_mask)
    comparison = Comparison(scene_host)
    comparison.set_overlay(threshold=2.0, opacity=1.0)
    comparison.show(case.nodes, Arrangement.GRID)
    for view in slice_nodes(scene_host.scene):
        blend_slice(scene_host, view, SIZE, fit=True)
    return comparison


def test_the_lesion_is_red_where_it_is_brighter_and_blue_where_darker(scene_host, shown, a_grid):
    red, _, blue, alpha = colour_at(scene_host, "difference", a_grid, LARGE)
    assert red > 150 and blue < 100 and alpha == 255
    red, _, blue, _ = colour_at(scene_host, "difference", a_grid, SMALL)
    assert blue > 150 and red < 150


def test_where_nothing_differs_the_input_shows_through(scene_host, shown, a_grid):
    grey = [127, 127, 127]
    for column in ("image", "pseudo_normal", "difference"):
        np.testing.assert_allclose(colour_at(scene_host, column, a_grid, TISSUE)[:3], grey, atol=2)


def test_input_and_pseudo_normal_are_shown_in_the_same_greys(scene_host, shown, a_grid):
    np.testing.assert_allclose(colour_at(scene_host, "image", a_grid, LARGE)[:3], [229] * 3, atol=3)
    np.testing.assert_allclose(colour_at(scene_host, "image", a_grid, SMALL)[:3], [64] * 3, atol=3)
    np.testing.assert_allclose(colour_at(scene_host, "pseudo_normal", a_grid, LARGE)[:3], [127] * 3, atol=2)
    np.testing.assert_allclose(colour_at(scene_host, "pseudo_normal", a_grid, SMALL)[:3], [127] * 3, atol=2)


def test_a_threshold_between_the_two_hides_only_the_fainter_one(scene_host, shown, a_grid):
    shown.set_overlay(threshold=6.5)
    red, _, blue, _ = colour_at(scene_host, "difference", a_grid, LARGE)
    assert red > blue + 100
    np.testing.assert_allclose(colour_at(scene_host, "difference", a_grid, SMALL)[:3], [64] * 3, atol=3)
    shown.set_overlay(threshold=0.0)
    red, _, blue, _ = colour_at(scene_host, "difference", a_grid, SMALL)
    assert blue > red + 50
    np.testing.assert_allclose(colour_at(scene_host, "difference", a_grid, TISSUE)[:3], [127] * 3, atol=2)


def test_half_an_opacity_mixes_the_input_in(scene_host, shown, a_grid):
    full = colour_at(scene_host, "difference", a_grid, LARGE)
    below = colour_at(scene_host, "image", a_grid, LARGE)
    shown.set_overlay(opacity=0.5)
    np.testing.assert_allclose(
        colour_at(scene_host, "difference", a_grid, LARGE)[:3], (full[:3] + below[:3]) / 2, atol=3
    )
    shown.set_overlay(visible=False)
    np.testing.assert_allclose(colour_at(scene_host, "difference", a_grid, LARGE), below, atol=1)


def amber(picture):
    """The pixels in the colour of lesions."""
    red, green, blue = np.moveaxis(picture.astype(int), -1, 0)
    return (red > 200) & (green > 130) & (blue < 100)


@needs_graphics
def test_a_view_has_the_outline_of_the_lesion_where_the_lesion_is(scene_host, shown, a_grid):
    jump_to(scene_host.scene, tuple((a_grid @ [*LARGE, 1.0])[:3]))
    view = slice_nodes(scene_host.scene, "image")[0]
    lesion = blend_slice(scene_host, view, SIZE)[..., 0] > 200
    edge = lesion & ~ndimage.binary_erosion(lesion)
    outline = ndimage.binary_dilation(amber(render_slice(scene_host, view, SIZE)), iterations=3)
    assert edge.sum() > 20 and outline[edge].mean() > 0.9
    assert not outline[ndimage.binary_erosion(lesion, iterations=6)].any()
    set_mask(shown.case.lesions, shown.case.image, np.zeros((24, 40, 36), bool))
    assert not amber(render_slice(scene_host, view, SIZE)).any()


@needs_graphics
def test_what_is_not_to_be_trusted_is_shaded_and_the_scan_shines_through(scene_host, shown, a_grid, a_lesion_mask):
    jump_to(scene_host.scene, tuple((a_grid @ [*LARGE, 1.0])[:3]))
    view = slice_nodes(scene_host.scene, "image")[0]
    before = render_slice(scene_host, view, SIZE).astype(int)
    lesion = ndimage.binary_erosion(blend_slice(scene_host, view, SIZE)[..., 0] > 200, iterations=6)
    add_distrusted(shown.case.lesions, shown.case.image, a_lesion_mask)
    shaded = render_slice(scene_host, view, SIZE).astype(int)
    assert (shaded[lesion] > 100).all(), "the bright lesion is still seen"
    assert (before[lesion] - shaded[lesion])[:, 1].min() > 20, "violet takes green away"


@needs_graphics
def test_the_columns_stand_side_by_side(scene_host, a_case):
    Comparison(scene_host).show(a_case.nodes)
    picture = render_columns(scene_host, SIZE, fit=True)
    assert picture.shape == (SIZE[1], 3 * SIZE[0] + 2 * GAP, 3)
    assert not picture[:, SIZE[0] : SIZE[0] + GAP].any()
    for column in np.split(np.delete(picture, [SIZE[0], SIZE[0] + 1, 2 * SIZE[0] + 2, 2 * SIZE[0] + 3], 1), 3, 1):
        assert column.max() > 50


@needs_graphics
def test_the_surface_of_the_lesion_is_seen_in_3d(scene_host, a_case):
    Comparison(scene_host).show(a_case.nodes, Arrangement.GRID)
    assert not amber(render_3d(scene_host, SIZE)).any()
    show_surface(a_case.nodes.lesions, True)
    assert amber(render_3d(scene_host, SIZE)).mean() > 0.02


def test_without_a_layout_there_is_nothing_to_render(scene_host):
    with pytest.raises(ValueError, match="show a case first"):
        render_columns(scene_host)
    with pytest.raises(ValueError, match="no 3D view"):
        render_3d(scene_host)


def test_a_picture_is_written_as_it_is_into_a_folder_of_any_name(tmp_path):
    picture = np.random.default_rng(0).integers(0, 256, (7, 11, 3), np.uint8)
    path = tmp_path / "Lékař 脳" / "bild.png"
    path.parent.mkdir()
    write_png(picture, path)
    matplotlib_image = pytest.importorskip("matplotlib.image")
    read = matplotlib_image.imread(str(path))
    np.testing.assert_array_equal(np.rint(read * 255).astype(np.uint8), picture)
