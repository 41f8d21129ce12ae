"""The mask under the annotator's hands, on straight, LPS and oblique grids."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PseudoNormalLib.hosts import headless
from PseudoNormalLib.review.decisions import Decision
from PseudoNormalLib.review.editing import MaskEditor
from PseudoNormalLib.review.walk import FindingWalk
from PseudoNormalLib.scene.lesions import SEGMENT_ID, mask_of, new_lesions
from PseudoNormalLib.scene.navigation import place
from PseudoNormalLib.scene.volumes import ijk_to_ras, new_volume, points_to_ras
from Testing.scene.conftest import GRIDS, make_case
from Testing.strokes import stroke


@pytest.fixture
def case(scene_host, a_grid, a_scan_array, a_lesion_mask):
    image = new_volume(scene_host.scene, "scan", a_scan_array, a_grid)
    return make_case(scene_host, image, a_scan_array, a_lesion_mask).nodes


@pytest.fixture
def editor(scene_host, case):
    editor = MaskEditor(scene_host, case.image, case.lesions)
    yield editor
    editor.close()


@pytest.fixture
def walk(case, editor):
    return FindingWalk(case, editor)


def test_undo_and_redo_bring_back_every_voxel(editor, case):
    rng = np.random.default_rng(0)
    states = [editor.mask]
    for _ in range(6):
        editor.replace(editor.mask ^ (rng.random(editor.mask.shape) < 0.01))
        states.append(editor.mask)
    for state in states[-2::-1]:
        editor.undo()
        assert (editor.mask == state).all() and (mask_of(case.lesions, case.image) == state).all()
    editor.undo()
    assert (editor.mask == states[0]).all(), "before the first edit there is nothing to go back to"
    for state in states[1:]:
        editor.redo()
        assert (editor.mask == state).all()
    editor.redo()
    assert (editor.mask == states[-1]).all()


@settings(max_examples=15)
@given(st.lists(st.sampled_from(["edit", "empty", "undo", "redo"]), max_size=12), st.sampled_from(sorted(GRIDS)))
def test_the_history_is_that_of_a_list_with_a_finger_in_it(actions, grid):
    host = headless()
    rng = np.random.default_rng(1)
    image = new_volume(host.scene, "scan", rng.normal(size=(6, 7, 8)), GRIDS[grid])
    first = rng.random((6, 7, 8)) < 0.2
    editor = MaskEditor(host, image, new_lesions(host, image, first, "lesions"))
    states, finger = [first], 0
    for action in actions:
        if action == "undo":
            editor.undo()
            finger = max(finger - 1, 0)
        elif action == "redo":
            editor.redo()
            finger = min(finger + 1, len(states) - 1)
        else:
            mask = (
                np.zeros(first.shape, bool) if action == "empty" else states[finger] ^ (rng.random(first.shape) < 0.1)
            )
            editor.replace(mask)
            if not np.array_equal(mask, states[finger]):
                states, finger = [*states[: finger + 1], mask], finger + 1
        assert (editor.mask == states[finger]).all()
    editor.close()


def test_a_stroke_of_the_segment_editor_is_noticed_and_lies_on_the_same_stack(scene_host, editor, case):
    told = []
    editor.changed.connect(lambda: told.append(editor.mask.sum()))
    before = editor.mask
    painted = np.zeros(before.shape, bool)
    painted[5:9, 30:34, 4:8] = True
    stroke(scene_host, case.lesions, painted)
    assert scene_host.tick.run_until(lambda: told, 10)
    assert (editor.mask == before | painted).all()
    editor.replace(before)
    editor.undo()
    assert (editor.mask == before | painted).all()
    editor.undo()
    assert (editor.mask == before).all()


def test_colour_and_visibility_are_no_edits(scene_host, editor, case):
    told = []
    editor.changed.connect(lambda: told.append(1))
    case.lesions.GetSegmentation().GetSegment(SEGMENT_ID).SetColor(0, 1, 0)
    case.lesions.GetDisplayNode().SetSegmentVisibility(SEGMENT_ID, False)
    editor.look()
    assert not told


def test_the_same_mask_again_is_no_step_to_undo(editor):
    before = editor.mask
    editor.replace(~before)
    editor.replace(editor.mask.copy())
    editor.undo()
    assert (editor.mask == before).all()


def test_rejecting_takes_the_voxels_out_and_undo_brings_finding_and_voxels_back(editor, walk, a_lesion_mask):
    walk.go_to(1)
    walk.accept()
    assert walk.current == 2 and walk.decision(1) is Decision.ACCEPTED
    walk.reject()
    assert len(walk.findings) == 1 and walk.current == 1 and walk.decision(1) is Decision.ACCEPTED
    assert (editor.mask <= a_lesion_mask).all() and not editor.mask[10, 14, 8]
    editor.undo()
    assert (editor.mask == a_lesion_mask).all() and len(walk.findings) == 2
    assert [walk.decision(number) for number in (1, 2)] == [Decision.ACCEPTED, Decision.OPEN]
    editor.redo()
    assert len(walk.findings) == 1
    walk.reject()
    assert walk.findings == [] and walk.current == 0 and not editor.mask.any()
    walk.reject()
    walk.accept()
    walk.next()
    assert walk.findings == []


def test_walking_goes_round_and_jumps_to_each_finding(scene_host, walk, case):
    walk.next()
    assert walk.current == 1
    assert place(scene_host.scene) == pytest.approx(walk.findings[0].centroid_ras)
    walk.next()
    walk.next()
    assert walk.current == 1
    walk.previous()
    assert walk.current == 2
    assert place(scene_host.scene) == pytest.approx(walk.findings[1].centroid_ras)


def test_keeping_goes_on_with_what_is_still_open(walk):
    walk.go_to(2)
    walk.keep()
    assert walk.current == 1
    walk.keep()
    assert walk.current == 1, "nothing is open any more"
    assert [walk.decision(number) for number in (1, 2)] == [Decision.KEPT, Decision.KEPT]


def test_the_current_finding_stays_the_same_lesion_when_an_edit_renumbers_it(editor, walk):
    walk.go_to(2)
    walk.keep()
    walk.go_to(2)
    larger = editor.mask.copy()
    larger[5:16, 6:22, 2:14] = True
    editor.replace(larger)
    assert (
        walk.current == 1
        and walk.decision(1) is Decision.KEPT
        and walk.findings[0].centroid_ras
        == pytest.approx(points_to_ras(ijk_to_ras(editor.image), np.array([[10.0, 13.5, 7.5]]))[0])
    )


def test_growing_at_a_finding_fills_it_again_after_half_of_it_was_erased(editor, walk, case, a_lesion_mask):
    half = a_lesion_mask.copy()
    half[:, :, 27:] = False
    editor.replace(half)
    centre = tuple(points_to_ras(ijk_to_ras(case.image), np.array([[12, 20, 27]]))[0])
    walk.grow(centre, radius_mm=30, threshold=3)
    assert (editor.mask == a_lesion_mask).all()
    editor.replace(np.ones_like(half))
    walk.shrink(centre, radius_mm=300, threshold=3)
    assert (editor.mask == a_lesion_mask).all()
    editor.undo()
    assert editor.mask.all()


def test_without_a_difference_map_the_brush_says_what_to_do(scene_host, a_volume_node, a_lesion_mask):
    from PseudoNormalLib.scene.case_nodes import CaseNodes

    lesions = new_lesions(scene_host, a_volume_node, a_lesion_mask, "lesions")
    editor = MaskEditor(scene_host, a_volume_node, lesions)
    walk = FindingWalk(CaseNodes(a_volume_node, lesions=lesions), editor)
    assert len(walk.findings) == 2 and not walk.can_follow_difference
    with pytest.raises(ValueError, match="regenerate"):
        walk.grow((0, 0, 0), radius_mm=5, threshold=2)
    editor.close()
