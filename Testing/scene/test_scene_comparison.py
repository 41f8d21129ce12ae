"""Three columns: what stands in them, and that they keep together."""

from __future__ import annotations

import weakref

import numpy as np
import pytest
import slicer
from PseudoNormalLib.scene.case_nodes import CaseNodes, case_of, cases_in, link, report_of, set_report
from PseudoNormalLib.scene.comparison import Comparison
from PseudoNormalLib.scene.flicker import Flicker
from PseudoNormalLib.scene.layout import (
    COLUMNS,
    VIEW_3D,
    Arrangement,
    composite_of,
    register_layouts,
    show_layout,
    slice_nodes,
)
from PseudoNormalLib.scene.volumes import array_of, new_volume
from Testing.scene.conftest import STRAIGHT


@pytest.fixture
def comparison(scene_host):
    return Comparison(scene_host)


def background(scene, column):
    """The ids of the volumes behind a column's views."""
    return {composite_of(view).GetBackgroundVolumeID() for view in slice_nodes(scene, column)}


def foreground(scene, column):
    return {composite_of(view).GetForegroundVolumeID() for view in slice_nodes(scene, column)}


@pytest.mark.parametrize(("arrangement", "rows"), [(Arrangement.COLUMNS, 1), (Arrangement.GRID, 3)])
def test_each_column_shows_its_volume_in_linked_views(scene_host, comparison, a_case, arrangement, rows):
    comparison.show(a_case.nodes, arrangement)
    scene, nodes = scene_host.scene, a_case.nodes
    assert len(slice_nodes(scene)) == 3 * rows
    assert background(scene, "image") == {nodes.image.GetID()}
    assert background(scene, "pseudo_normal") == {nodes.pseudo_normal.GetID()}
    assert background(scene, "difference") == {nodes.image.GetID()}
    assert foreground(scene, "difference") == {nodes.difference_z.GetID()}
    assert not any(foreground(scene, "image") | foreground(scene, "pseudo_normal"))
    assert all(composite_of(view).GetLinkedControl() for view in slice_nodes(scene))
    assert (scene.GetSingletonNode(VIEW_3D, "vtkMRMLViewNode") is not None) == (arrangement is Arrangement.GRID)


def test_the_layouts_are_known_by_number_and_name_the_views_that_exist(scene_host):
    show_layout(scene_host.scene, Arrangement.GRID)
    layout = register_layouts(scene_host.scene)
    assert layout.GetViewArrangement() == Arrangement.GRID.value
    assert scene_host.scene.GetNumberOfNodesByClass("vtkMRMLLayoutNode") == 1
    description = layout.GetLayoutDescription(Arrangement.GRID.value)
    for view in slice_nodes(scene_host.scene):
        assert f'singletontag="{view.GetSingletonTag()}"' in description
    assert layout.GetLayoutRootElement() is not None


def test_orientations_are_those_of_the_rows(scene_host):
    show_layout(scene_host.scene, Arrangement.GRID)
    for column in COLUMNS:
        shown = [view.GetOrientation() for view in slice_nodes(scene_host.scene, column)]
        assert shown == ["Axial", "Coronal", "Sagittal"]


def test_input_and_pseudo_normal_share_one_window_whichever_is_changed(comparison, a_case):
    comparison.show(a_case.nodes)
    image, normal = a_case.nodes.image.GetDisplayNode(), a_case.nodes.pseudo_normal.GetDisplayNode()
    assert (normal.GetWindow(), normal.GetLevel()) == (image.GetWindow(), image.GetLevel())
    image.SetAutoWindowLevel(False)
    image.SetWindowLevel(700, 420)
    assert (normal.GetWindow(), normal.GetLevel()) == (700, 420)
    normal.SetWindowLevel(333, 99)
    assert (image.GetWindow(), image.GetLevel()) == (333, 99)
    comparison.close()
    image.SetWindowLevel(1000, 1)
    assert normal.GetWindow() == 333


def test_the_overlays_settings_reach_the_views_and_are_told(scene_host, comparison, a_case):
    told = []
    comparison.changed.connect(told.append)
    comparison.show(a_case.nodes)
    comparison.set_overlay(opacity=0.35, threshold=6.0)
    (view,) = slice_nodes(scene_host.scene, "difference")
    assert composite_of(view).GetForegroundOpacity() == pytest.approx(0.35)
    assert comparison.overlay.threshold == 6.0
    assert told == [a_case.nodes, a_case.nodes]
    comparison.set_overlay(visible=False)
    assert foreground(scene_host.scene, "difference") == {None}


def test_the_colours_are_symmetric_about_no_difference(comparison, a_case):
    comparison.show(a_case.nodes)
    display = a_case.nodes.difference_z.GetDisplayNode()
    assert display.GetLevel() == 0 and display.GetWindow() == pytest.approx(2 * comparison.limit)
    assert comparison.limit == pytest.approx(8.0, abs=0.1)  # the bright lesion's z
    table = display.GetColorNode().GetLookupTable()
    blue, middle, red = (table.GetTableValue(entry) for entry in (0, 127, 255))
    assert blue[2] > 0.8 > blue[0] and red[0] > 0.8 > red[2]
    assert middle[3] == 0 and blue[3] == red[3] == 1


def test_the_colour_table_is_made_once_a_scene(scene_host, comparison, a_case):
    comparison.show(a_case.nodes)
    tables = scene_host.scene.GetNumberOfNodesByClass("vtkMRMLColorTableNode")
    comparison.set_overlay(threshold=3.0)
    comparison.show(a_case.nodes, Arrangement.GRID)
    assert scene_host.scene.GetNumberOfNodesByClass("vtkMRMLColorTableNode") == tables


def test_a_case_without_results_shows_its_input_and_no_stale_volumes(scene_host, comparison, a_case):
    comparison.show(a_case.nodes)
    other = CaseNodes(new_volume(scene_host.scene, "next scan", array_of(a_case.nodes.image), STRAIGHT))
    comparison.show(other)
    assert background(scene_host.scene, "image") == {other.image.GetID()}
    assert background(scene_host.scene, "pseudo_normal") == background(scene_host.scene, "difference") == {None}


def test_removing_a_shown_volume_closes_the_comparison(scene_host, comparison, a_case):
    told = []
    comparison.show(a_case.nodes)
    comparison.changed.connect(told.append)
    scene_host.scene.RemoveNode(a_case.nodes.pseudo_normal)
    assert comparison.case is None and told == [None]


def test_removing_the_segmentation_leaves_the_columns_open(scene_host, comparison, a_case):
    comparison.show(a_case.nodes)
    scene_host.scene.RemoveNode(a_case.nodes.lesions)
    assert comparison.case.lesions is None and comparison.case.image is a_case.nodes.image


def test_a_comparison_that_nobody_holds_any_more_is_gone_and_hears_nothing(scene_host, a_case):
    comparison = Comparison(scene_host)
    comparison.show(a_case.nodes)
    gone = weakref.ref(comparison)
    del comparison
    assert gone() is None
    before = a_case.nodes.pseudo_normal.GetDisplayNode().GetWindow()
    a_case.nodes.image.GetDisplayNode().SetWindowLevel(before + 100, 0)
    scene_host.scene.RemoveNode(a_case.nodes.difference_z)
    assert a_case.nodes.pseudo_normal.GetDisplayNode().GetWindow() == before


def test_flicker_switches_every_view_of_the_input_and_back(scene_host, comparison, a_case):
    red = scene_host.scene.AddNewNodeByClass("vtkMRMLSliceCompositeNode", "Red")
    red.SetBackgroundVolumeID(a_case.nodes.image.GetID())
    comparison.show(a_case.nodes)
    flicker = Flicker(comparison)
    told = []
    flicker.changed.connect(told.append)
    flicker.toggle()
    assert background(scene_host.scene, "image") == {a_case.nodes.pseudo_normal.GetID()}
    assert red.GetBackgroundVolumeID() == a_case.nodes.pseudo_normal.GetID()
    assert background(scene_host.scene, "difference") == {a_case.nodes.image.GetID()}
    flicker.toggle()
    assert background(scene_host.scene, "image") == {a_case.nodes.image.GetID()} == {red.GetBackgroundVolumeID()}
    assert told == ["pseudo_normal", "image"]


def test_flicker_ends_when_another_case_is_shown_and_leaves_a_view_that_was_changed_alone(
    scene_host, comparison, a_case
):
    red = scene_host.scene.AddNewNodeByClass("vtkMRMLSliceCompositeNode", "Red")
    red.SetBackgroundVolumeID(a_case.nodes.image.GetID())
    comparison.show(a_case.nodes)
    flicker = Flicker(comparison)
    flicker.toggle()
    other = CaseNodes(new_volume(scene_host.scene, "next scan", array_of(a_case.nodes.image), STRAIGHT))
    red.SetBackgroundVolumeID(other.image.GetID())
    comparison.show(other)
    assert flicker.showing == "image"
    assert red.GetBackgroundVolumeID() == other.image.GetID()
    assert background(scene_host.scene, "image") == {other.image.GetID()}


def test_flicker_without_a_result_does_nothing(comparison, a_volume_node):
    flicker = Flicker(comparison)
    flicker.toggle()
    comparison.show(CaseNodes(a_volume_node))
    flicker.toggle()
    assert flicker.showing == "image"


def test_a_case_is_found_from_any_of_its_nodes(scene_host, a_case):
    for node in (a_case.nodes.image, a_case.nodes.difference_z, a_case.nodes.lesions):
        assert case_of(node) == a_case.nodes
    alone = new_volume(scene_host.scene, "alone", np.zeros((2, 2, 2)), STRAIGHT)
    assert case_of(alone) == CaseNodes(alone)
    assert cases_in(scene_host.scene) == [a_case.nodes]


def test_a_case_whose_result_was_removed_is_told_without_it(scene_host, a_case):
    scene_host.scene.RemoveNode(a_case.nodes.difference)
    assert case_of(a_case.nodes.image).difference is None
    assert case_of(a_case.nodes.image).pseudo_normal is a_case.nodes.pseudo_normal


def test_a_report_is_kept_with_the_input(a_case):
    assert report_of(a_case.nodes) is None
    set_report(a_case.nodes, {"case": "Lékař ☃", "findings": []})
    assert report_of(a_case.nodes) == {"case": "Lékař ☃", "findings": []}


def test_linking_again_forgets_what_no_longer_belongs(a_case):
    link(CaseNodes(a_case.nodes.image, a_case.nodes.pseudo_normal))
    assert case_of(a_case.nodes.image) == CaseNodes(a_case.nodes.image, a_case.nodes.pseudo_normal)


def test_views_are_fitted_once_and_keep_their_place_for_a_new_result(scene_host, comparison, a_case):
    show_layout(scene_host.scene, Arrangement.COLUMNS)
    (view,) = slice_nodes(scene_host.scene, "image")
    logic = slicer.vtkMRMLSliceLogic()
    logic.SetMRMLApplicationLogic(scene_host.application_logic)
    logic.SetMRMLScene(scene_host.scene)
    logic.SetSliceNode(view)
    scene_host.application_logic.GetSliceLogics().AddItem(logic)
    comparison.show(a_case.nodes)
    bounds = [0.0] * 6
    a_case.nodes.image.GetRASBounds(bounds)
    assert bounds[4] < view.GetSliceOffset() < bounds[5]
    view.SetSliceOffset(bounds[4] + 3)
    comparison.show(a_case.nodes)
    assert view.GetSliceOffset() == pytest.approx(bounds[4] + 3)
