"""What a reviewer does not trust: painted, undone, saved, resumed after a kill, accepted, seen by others."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from PseudoNormalLib.review.comparing import SecondReading
from PseudoNormalLib.review.decisions import Decision
from PseudoNormalLib.review.submitting import read_distrusted, read_mask
from PseudoNormalLib.scene.lesions import DISTRUSTED_ID, SEGMENT_ID, distrusted_of
from Testing.scene.conftest import GRIDS, SHAPE
from Testing.scene.review.conftest import LIBRARY, block, lease_of
from Testing.strokes import stroke

from pseudonormal.scan.nifti import read_nifti

DOUBTED = block(10, 18, 24, size=8)
"""Half in the larger lesion, half beside it."""


def distrust(window, voxels, *, erase=False):
    """A stroke of the brush on what is not to be trusted, and wait until the review has noticed it."""
    editor = window.desk.session.editor
    before = editor.distrusted
    stroke(window.host, editor.lesions, voxels, DISTRUSTED_ID, erase=erase)
    window.until(lambda: editor.distrusted is not before)


def weights_of(store, revision):
    return read_nifti(store.weights_path(revision.id), None).array


@pytest.mark.parametrize("grid", sorted(GRIDS))
def test_painted_and_erased_it_leaves_mask_findings_and_decisions_alone(a_window, add_case, a_lesion_mask, grid):
    window = a_window()
    session = window.open(add_case(grid))
    session.walk.accept()
    findings, told = session.walk.findings, []
    session.walk.changed.connect(lambda: told.append("findings"))
    distrust(window, DOUBTED)
    distrust(window, block(10, 18, 24, size=3), erase=True)
    expected = DOUBTED & ~block(10, 18, 24, size=3)
    assert (session.editor.distrusted == expected).all() and (session.editor.mask == a_lesion_mask).all()
    stroke(window.host, session.editor.lesions, block(12, 20, 26), erase=True)
    window.until(lambda: told)
    assert (session.editor.distrusted == expected).all(), "erasing a lesion does not make its place trusted"
    session.editor.undo()
    assert session.walk.findings == findings and session.walk.decision(1) is Decision.ACCEPTED
    session.walk.go_to(1)
    session.walk.reject()
    assert (session.editor.distrusted == expected).all() and not (session.editor.mask & expected).any()
    window.close()


def test_undo_and_redo_walk_over_both_and_one_replacement_is_one_step(a_window, add_case, a_lesion_mask):
    window = a_window()
    editor = window.open(add_case()).editor
    distrust(window, DOUBTED)
    editor.replace(block(3, 30, 20), block(5, 5, 5))
    editor.undo()
    assert (editor.mask == a_lesion_mask).all() and (editor.distrusted == DOUBTED).all()
    editor.undo()
    assert not editor.distrusted.any()
    editor.redo()
    editor.redo()
    assert (editor.mask == block(3, 30, 20)).all() and (editor.distrusted == block(5, 5, 5)).all()
    window.close()


def test_the_brush_is_taken_to_and_from_it_and_who_listens_is_told(a_window, add_case):
    window = a_window()
    editor = window.open(add_case()).editor
    told = []
    editor.chosen.connect(lambda: told.append(editor.distrusts))
    editor.choose(distrusted=True)
    assert window.host.editor.GetCurrentSegmentID() == DISTRUSTED_ID
    window.host.editor.SetCurrentSegmentID(SEGMENT_ID)  # as by a click in the Segment Editor's own table
    assert told == [True, False]
    window.close()


def test_a_draft_keeps_it_and_what_is_erased_again_leaves_no_weights(a_window, add_case, a_store):
    case = add_case()
    window = a_window()
    session = window.open(case)
    distrust(window, DOUBTED)
    assert session.drafts.unsaved
    window.save()
    draft = a_store.history(case)[-1]
    assert draft.state == "draft" and np.array_equal(weights_of(a_store, draft), np.where(DOUBTED, 0, 1))
    distrust(window, np.ones(SHAPE, bool), erase=True)
    window.finish("accepted")
    accepted = a_store.history(case)[-1]
    assert a_store.weights_path(accepted.id) is None and a_store.history(case)[-2].id == draft.id


def test_work_that_was_overtaken_comes_back_with_it(a_window, add_case, a_store):
    case = add_case()
    ada = a_window("Ada")
    session = ada.open(case)
    distrust(ada, DOUBTED)
    a_store.release(lease_of(session))  # as if it had expired
    grace = a_window("Grace")
    grace.open(case).editor.replace(block(9, 9, 9))
    grace.finish("accepted")
    ada.close()
    later = a_window("Ada")
    session = later.open(case)
    assert not session.editor.distrusted.any()
    session.take_over(session.stranded[0])
    assert (session.editor.distrusted == DOUBTED).all()
    later.until(lambda: not session.drafts.unsaved)
    assert np.array_equal(weights_of(a_store, a_store.history(case)[-1]) == 0, DOUBTED)
    later.close()


def test_another_annotator_sees_it_in_the_first_ones_revision(a_window, add_case):
    case = add_case()
    ada = a_window("Ada")
    ada.open(case)
    distrust(ada, DOUBTED)
    ada.finish("needs_second_reader", "what is this?")
    grace = a_window("Grace")
    session = grace.open(case)
    assert (session.editor.distrusted == DOUBTED).all(), "it goes on with what the first one left"
    reading = SecondReading(grace.host, grace.jobs, session)
    reading.show(session.revisions[-1])
    grace.until(lambda: reading.shown)
    nodes = grace.host.scene.GetNodesByClass("vtkMRMLSegmentationNode")
    theirs = next(nodes.GetItemAsObject(n) for n in range(2) if nodes.GetItemAsObject(n) is not session.case.lesions)
    assert (distrusted_of(theirs, session.case.image) == DOUBTED).all()
    assert reading.overlap.dice == 1
    reading.close()
    grace.close()


def test_a_consensus_does_not_take_it_away(a_window, add_case, a_store):
    case = add_case()
    window = a_window()
    session = window.open(case)
    distrust(window, DOUBTED)
    session.editor.replace(block(9, 9, 9))
    window.save()
    reading = SecondReading(window.host, window.jobs, session)
    reading.agree(session.revisions)
    window.until(lambda: session.revisions[-1].state == "consensus")
    assert (session.editor.distrusted == DOUBTED).all() and session.drafts.unsaved
    window.finish("accepted")
    assert np.array_equal(weights_of(a_store, a_store.history(case)[-1]) == 0, DOUBTED)
    assert a_store.check() == []


CLIENT = """
import sys
from pathlib import Path

from PseudoNormalLib.engine.client import EngineClient
from Testing.scene.review.conftest import Window, block
from Testing.scene.review.test_review_distrust import DOUBTED, distrust
from types import SimpleNamespace

url, token, folder, case = sys.argv[1:]
window = Window(SimpleNamespace(url=url, token=token), Path(folder))
session = window.open(case)
distrust(window, DOUBTED)
window.save()
distrust(window, block(4, 4, 4), erase=False)
session.drafts.note()
journal = Path(folder) / "journal"
window.until(lambda: list(journal.glob("[!.]*.npz")))
print("noted", flush=True)
sys.stdin.read()
"""


def test_kill_9_of_the_client_loses_none_of_it_and_it_is_accepted_voxel_for_voxel(
    an_engine, a_window, add_case, a_store, a_lesion_mask, tmp_path
):
    case = add_case()
    arguments = [an_engine.url, an_engine.token, str(tmp_path / "Lékař"), case]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(LIBRARY), *sys.path])}
    with subprocess.Popen(
        [sys.executable, "-c", CLIENT, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    ) as client:
        assert client.stdout.readline() == b"noted\n"
        client.kill()
    assert [revision.state for revision in a_store.history(case)] == ["seed", "draft"]
    assert np.array_equal(weights_of(a_store, a_store.history(case)[-1]) == 0, DOUBTED), (
        "the store has the first stroke"
    )

    window = a_window()
    session = window.open(case)
    expected = DOUBTED | block(4, 4, 4)
    assert (session.editor.distrusted == expected).all() and (session.editor.mask == a_lesion_mask).all()
    assert window.journal.owners() == []
    window.finish("accepted")
    head = window.client.case(case).history[-1]
    assert head.state == "accepted" and head.weights_sha256
    assert (read_distrusted(window.client, case, head) == expected).all()
    assert (read_mask(window.client, case, head.id).array == a_lesion_mask).all()
    stored = weights_of(a_store, a_store.history(case)[-1])
    assert stored.dtype == np.float32 and np.array_equal(stored, np.where(expected, 0, 1))
    assert a_store.check() == []
