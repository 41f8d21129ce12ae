"""trame-slicer's tools and the review's own edits lie on one stack, voxel for voxel; without a browser."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import numpy as np
import pytest
from PseudoNormalLib.hosts import browser
from PseudoNormalLib.review.editing import UNDO_STEPS, MaskEditor
from PseudoNormalLib.review.walk import FindingWalk
from PseudoNormalLib.scene.lesions import DISTRUSTED_ID, SEGMENT_ID, add_distrusted, mask_of
from PseudoNormalLib.scene.volumes import ijk_to_ras, new_volume, points_to_ras
from PseudoNormalLib.signals import Signal
from scipy import ndimage
from Testing.scene.conftest import GRIDS, SHAPE, make_case


@pytest.fixture
def loop():
    """The loop that trame's tools expect to be there."""
    made = asyncio.new_event_loop()
    asyncio.set_event_loop(made)
    yield made
    asyncio.set_event_loop(None)
    made.close()


@pytest.fixture
def app(loop):
    from trame_slicer.core import SlicerApp

    made = SlicerApp()
    yield made
    made.scene.Clear(True)


@pytest.fixture
def a_lesion_mask():
    """(D, H, W) two lesions, the larger one towards high x."""
    z, y, x = np.indices(SHAPE)
    return ((z - 12) ** 2 + (y - 20) ** 2 + (x - 27) ** 2 < 5**2) | (
        (z - 10) ** 2 + (y - 14) ** 2 + (x - 8) ** 2 < 3**2
    )


@pytest.fixture
def a_scan_array(a_lesion_mask):
    """(D, H, W) int16: tissue of 500, lesions of 900."""
    return np.where(a_lesion_mask, 900, 500).astype(np.int16)


@pytest.fixture(params=sorted(GRIDS))
def case(app, request, a_scan_array, a_lesion_mask):
    host = browser(app)
    image = new_volume(host.scene, "scan", a_scan_array, GRIDS[request.param])
    nodes = make_case(host, image, a_scan_array, a_lesion_mask).nodes
    add_distrusted(nodes.lesions, image, np.zeros(SHAPE, bool))
    return nodes


@pytest.fixture
def review(app, case):
    """As much of a review as the tools ask for."""
    desk = SimpleNamespace(opened=Signal(), closing=Signal(), history_of=None)
    return SimpleNamespace(desk=desk, session=None, brush_changed=Signal(), radius_mm=4.0)


@pytest.fixture
def tools(app, review):
    from PseudoNormalWeb.parts.review.tools import Tools

    made = Tools(app, review)
    yield made
    made.close()


@pytest.fixture
def editor(app, case, review, tools):
    """The mask, open in the tools."""
    host = SimpleNamespace(scene=app.scene, tick=lambda *_: lambda: None)
    editor = MaskEditor(host, case.image, case.lesions, history=review.desk.history_of(case))
    review.session = SimpleNamespace(case=case, editor=editor)
    review.desk.opened.emit(review.session)
    yield editor
    review.desk.closing.emit()
    editor.close()


def stroke(app, case, index):
    """A dab of the tool in hand around a voxel [z, y, x], as the mouse gives it to the effect."""
    from trame_slicer.segmentation.brush_source import BrushSource
    from trame_slicer.segmentation.paint_effect_parameters import BrushShape
    from vtkmodules.vtkCommonCore import vtkPoints

    effect = app.segmentation_editor.active_effect
    brush = BrushSource(BrushShape.Sphere, effect.get_brush_diameter())
    source = brush.get_untransformed_output_port().GetProducer()
    source.Update()
    points = vtkPoints()
    points.InsertNextPoint(*points_to_ras(ijk_to_ras(case.image), np.array([index]))[0])
    effect.paint_glyph_at_world_coordinates(source.GetOutput(), points)


def test_painting_erasing_and_replacing_are_undone_and_redone_in_turn(app, case, tools, editor, a_lesion_mask):
    from PseudoNormalWeb.parts.review.tools import Tool

    states = [editor.mask]
    tools.hold(Tool.PAINT)
    stroke(app, case, (18, 30, 8))
    editor.look()
    states.append(editor.mask)
    editor.replace(editor.mask & ~ndimage.binary_erosion(a_lesion_mask))
    states.append(editor.mask)
    tools.hold(Tool.ERASE)
    stroke(app, case, (12, 20, 31))
    editor.look()
    states.append(editor.mask)
    assert (states[1] >= states[0]).all() and states[1].sum() > states[0].sum() + 20
    assert (states[3] <= states[2]).all() and states[3].sum() < states[2].sum()
    for state in states[-2::-1]:
        editor.undo()
        assert (editor.mask == state).all() and (mask_of(case.lesions, case.image) == state).all()
    editor.undo()
    assert (editor.mask == states[0]).all()
    for state in states[1:]:
        editor.redo()
        assert (editor.mask == state).all()


def test_an_edit_after_undo_forgets_what_was_undone(app, case, tools, editor):
    from PseudoNormalWeb.parts.review.tools import Tool

    tools.hold(Tool.PAINT)
    stroke(app, case, (18, 30, 8))
    editor.undo()
    before = editor.mask
    editor.replace(np.roll(before, 3, 1))
    editor.redo()
    assert (editor.mask == np.roll(before, 3, 1)).all()
    editor.undo()
    assert (editor.mask == before).all()


def test_what_is_not_to_be_trusted_is_drawn_undone_and_leaves_the_lesion_alone(app, case, tools, editor):
    from PseudoNormalWeb.parts.review.tools import Tool

    before = editor.mask
    editor.choose(distrusted=True)
    tools.hold(Tool.PAINT)
    stroke(app, case, (12, 20, 27))
    editor.look()
    drawn = editor.distrusted
    assert drawn.any() and (drawn & before).any() and (editor.mask == before).all()
    editor.replace(~before, np.zeros_like(before))
    editor.undo()
    assert (editor.distrusted == drawn).all() and (editor.mask == before).all(), "both in one step"
    editor.undo()
    assert not editor.distrusted.any()
    editor.redo()
    assert (editor.distrusted == drawn).all()


def test_undo_does_not_change_how_segments_are_shown(case, editor):
    display = case.lesions.GetDisplayNode()

    def shown():
        return [
            (display.GetSegmentVisibility2DFill(each), display.GetSegmentVisibility3D(each))
            for each in (SEGMENT_ID, DISTRUSTED_ID)
        ]

    before = shown()
    editor.replace(~editor.mask)
    editor.undo()
    assert shown() == before == [(False, True), (True, False)]


def test_findings_follow_each_stroke_and_its_undo(app, case, tools, editor):
    from PseudoNormalWeb.parts.review.tools import Tool

    walk = FindingWalk(case, editor)
    assert len(walk.findings) == 2
    tools.hold(Tool.PAINT)
    stroke(app, case, (18, 30, 8))
    editor.look()
    assert len(walk.findings) == 3
    editor.undo()
    assert len(walk.findings) == 2


def test_islands_smoothing_and_range_change_the_mask_as_one_step_each(tools, editor, a_lesion_mask, a_scan_array):
    from PseudoNormalWeb.parts.review.tools import Smoothing

    labels, _ = ndimage.label(a_lesion_mask)
    largest = labels == np.bincount(labels[labels > 0]).argmax()
    tools.keep_largest()
    assert (editor.mask == largest).all()
    editor.undo()
    tools.remove_small(least_ml=1000.0)
    assert not editor.mask.any()
    editor.undo()
    assert (editor.mask == a_lesion_mask).all()
    noisy = a_lesion_mask.copy()
    noisy[2, 2, 2] = True
    editor.replace(noisy)
    tools.smooth(Smoothing.OPENING, 6.0)
    assert not editor.mask[2, 2, 2] and editor.mask.any()
    editor.undo()
    assert (editor.mask == noisy).all()
    editor.undo()
    tools.set_range(800, 1000, limited=False)
    tools.fill()
    assert (editor.mask == (a_lesion_mask | ((a_scan_array >= 800) & (a_scan_array <= 1000)))).all()


def test_a_brush_with_a_range_changes_only_voxels_in_it(app, case, tools, editor, a_scan_array):
    from PseudoNormalWeb.parts.review.tools import Tool

    editor.replace(np.zeros(SHAPE, bool))
    tools.set_range(800, 1000, limited=True)
    tools.hold(Tool.PAINT)
    stroke(app, case, (12, 20, 27))
    editor.look()
    assert editor.mask.any() and (a_scan_array[editor.mask] >= 800).all()
    tools.keep_largest()
    assert editor.mask.any(), "the range binds brushes only"


def test_a_tool_that_changes_nothing_is_no_step_to_undo(tools, editor):
    before = editor.mask
    editor.replace(~before)
    tools.remove_small(least_ml=0.0)
    editor.undo()
    assert (editor.mask == before).all()


def test_no_more_steps_are_kept_than_on_the_desktop(editor):
    first = editor.mask
    for number in range(UNDO_STEPS + 3):
        mask = first.copy()
        mask.flat[number] = not mask.flat[number]
        editor.replace(mask)
    for _ in range(UNDO_STEPS + 3):
        editor.undo()
    assert editor.mask.flat[2] != first.flat[2], "the oldest are forgotten"


def test_when_the_case_is_closed_no_tool_is_in_hand(app, review, tools, editor):
    from PseudoNormalWeb.parts.review.tools import Tool

    tools.hold(Tool.PAINT)
    review.desk.closing.emit()
    assert tools.tool is Tool.LOOK and "NoTool" in app.segmentation_editor.active_effect_name
    review.session = None
    tools.hold(Tool.PAINT)
    assert tools.tool is Tool.LOOK and not tools.offers()["paint"].stands
