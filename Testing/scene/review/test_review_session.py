"""A case from the store to the screen and back: the real engine process, its real store, a real scene."""

from __future__ import annotations

import time

import numpy as np
import pytest
from PseudoNormalLib.review.comparing import SecondReading
from PseudoNormalLib.review.decisions import Decision
from PseudoNormalLib.review.submitting import read_mask
from PseudoNormalLib.review.worklist import Filter, Worklist
from PseudoNormalLib.scene.navigation import jump_to, place
from PseudoNormalLib.scene.volumes import array_of, ijk_to_ras
from Testing.scene.conftest import GRIDS, SHAPE
from Testing.scene.review.conftest import block


@pytest.mark.parametrize("grid", sorted(GRIDS))
def test_the_whole_story_open_edit_save_leave_resume_accept(a_window, add_case, a_store, a_lesion_mask, grid):
    case = add_case(grid)
    first = a_window()
    session = first.open(case)
    assert (array_of(session.case.image).shape, session.editor.mask.sum()) == (SHAPE, a_lesion_mask.sum())
    assert np.allclose(ijk_to_ras(session.case.image), GRIDS[grid], atol=1e-4)
    assert session.walk.current == 1 and len(session.walk.findings) == 2
    session.walk.accept()
    session.editor.replace(session.editor.mask | block(3, 30, 20))
    session.walk.go_to(3)
    session.walk.reject()
    session.editor.undo()
    session.editor.redo()
    session.editor.undo()
    jump_to(first.host.scene, (1.25, -7.5, 3.0))
    edited = session.editor.mask
    first.save()
    first.close()
    assert first.host.scene.GetFirstNodeByClass("vtkMRMLScalarVolumeNode") is None
    assert a_store.case(case).leased_by is None and a_store.case(case).status == "draft"

    second = a_window()
    session = second.open(case)
    assert (session.editor.mask == edited).all()
    assert session.walk.current == 3 or len(session.walk.findings) == 3
    assert session.walk.decision(1) is Decision.ACCEPTED
    assert place(second.host.scene) == pytest.approx((1.25, -7.5, 3.0))
    second.finish("accepted", "klar begrenzt; größer als gedacht?")
    assert second.desk.session is None and a_store.case(case).status == "accepted"
    history = a_store.history(case)
    assert [revision.state for revision in history] == ["seed", "draft", "accepted"]
    assert [revision.author for revision in history][1:] == ["Ada", "Ada"]
    assert history[-1].comment == "klar begrenzt; größer als gedacht?"
    assert (read_mask(second.client, case, history[-1].id).array == edited).all()
    assert not second.told and not first.told and second.journal.owners() == []


def test_autosave_makes_a_draft_without_being_asked_and_none_when_nothing_changed(a_window, add_case, a_store):
    case = add_case()
    window = a_window(store_seconds=0.1)
    session = window.open(case)
    saved = []
    session.saved.connect(saved.append)
    session.editor.replace(session.editor.mask | block(3, 30, 20))
    window.until(lambda: saved)
    window.host.tick.run_until(lambda: False, 0.5)
    session.walk.next()  # looking around is no change
    window.host.tick.run_until(lambda: False, 0.5)
    window.close()
    assert [revision.state for revision in a_store.history(case)] == ["seed", "draft"]


def test_a_look_at_a_case_leaves_no_trace(a_window, add_case, a_store):
    case = add_case()
    window = a_window()
    session = window.open(case)
    session.walk.next()
    window.close()
    assert len(a_store.history(case)) == 1 and a_store.case(case).leased_by is None


def test_a_case_without_results_and_without_mask_can_be_drawn_from_nothing(a_window, add_case, a_store):
    case = add_case(mask=None, results=False)
    window = a_window()
    session = window.open(case)
    assert not session.editor.mask.any() and not session.walk.can_follow_difference
    session.editor.replace(block(5, 6, 7))
    window.finish("needs_second_reader", "am unsure")
    (revision,) = a_store.history(case)
    assert (revision.state, revision.parent, revision.comment) == ("needs_second_reader", None, "am unsure")
    assert (read_mask(window.client, case, revision.id).array == block(5, 6, 7)).all()


def test_next_goes_by_priority_and_gives_no_case_to_two(a_window, add_case):
    low, high = add_case(priority=1e6), add_case(priority=1e6 + 1)
    ada, grace = a_window("Ada"), a_window("Grace")
    assert ada.open().id == high
    assert grace.open().id == low
    ada.finish("accepted")
    grace.finish("rejected", "motion")
    assert not ada.told and not grace.told


def test_a_case_that_another_has_is_refused_in_one_line(a_window, add_case):
    case = add_case()
    ada, grace = a_window("Ada"), a_window("Grace")
    ada.open(case)
    assert grace.open(case) is None
    assert len(grace.told) == 1 and "Ada" in grace.told[0] and "\n" not in grace.told[0]
    ada.close()
    assert grace.open(case) is not None
    grace.close()


def test_the_worklist_filters_and_counts(a_window, add_case):
    case = add_case()
    window = a_window()
    worklist = Worklist(window.jobs)
    told = []
    worklist.changed.connect(lambda: told.append(len(worklist.cases)))
    worklist.show(Filter(status="new", text=case))
    window.until(lambda: told)
    assert [info.id for info in worklist.cases] == [case] and worklist.total == 1
    worklist.show(Filter(status="rejected", text=case))
    window.until(lambda: len(told) == 2)
    assert worklist.cases == ()


def test_another_reading_is_an_outline_with_a_dice_that_follows_the_edits(a_window, add_case):
    case = add_case(mask=block(9, 9, 9))
    window = a_window()
    session = window.open(case)
    session.editor.replace(block(9, 9, 11))
    window.save()
    reading = SecondReading(window.host, window.jobs, session)
    reading.show(session.revisions[0])
    window.until(lambda: reading.shown)
    assert reading.overlap.dice == pytest.approx(0.5)
    assert reading.overlap.mine_ml == pytest.approx(64 * 0.9 * 1.1 * 3.3 / 1000, rel=1e-3)
    session.editor.replace(block(9, 9, 9))
    assert reading.overlap.dice == 1
    session.editor.replace(np.zeros(SHAPE, bool))
    assert reading.overlap.dice == 0 and reading.overlap.mine_ml == 0
    reading.close()
    assert window.host.scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 1
    window.close()


def test_an_outline_that_is_taken_away_before_it_arrives_stays_away(a_window, add_case):
    case = add_case(mask=block(9, 9, 9))
    window = a_window()
    session = window.open(case)
    reading = SecondReading(window.host, window.jobs, session)
    reading.show(session.revisions[0])
    reading.hide()
    answered = []
    window.jobs.submit(lambda engine: (time.sleep(0.3), engine.cases())[1], answered.append)
    window.until(lambda: answered)
    assert reading.shown is None
    assert window.host.scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 1
    reading.close()
    window.close()


def test_a_consensus_becomes_the_mask_and_a_revision_and_can_be_undone(a_window, add_case, a_store):
    case = add_case(mask=block(9, 9, 9, size=8))
    window = a_window()
    session = window.open(case)
    for size in (7, 6):
        session.editor.replace(block(9, 9, 9, size=size))
        window.save()
    session.editor.replace(block(3, 3, 3))
    reading = SecondReading(window.host, window.jobs, session)
    reading.failed.connect(window.told.append)
    reading.agree(session.revisions[:3])
    window.until(lambda: session.revisions[-1].state == "consensus")
    states = [revision.state for revision in a_store.history(case)]
    assert states == ["seed", "draft", "draft", "draft", "consensus"] and not window.told
    assert block(9, 9, 9, size=6).sum() <= session.editor.mask.sum() <= block(9, 9, 9, size=8).sum()
    session.editor.undo()
    assert (session.editor.mask == block(3, 3, 3)).all()
    session.editor.redo()
    reading.agree(session.revisions[:1])
    window.until(lambda: window.told)
    assert "2" in window.told[0] and "\n" not in window.told[0]
    assert session.drafts.parent == session.revisions[-1].id
    window.finish("accepted")
