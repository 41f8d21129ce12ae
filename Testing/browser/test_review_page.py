"""The Review tab in a real browser: take a case, draw with the mouse, undo, save, accept; and nothing is ever lost."""

from __future__ import annotations

import pytest
from PseudoNormalLib.engine.client import EngineClient
from PseudoNormalLib.review.submitting import read_mask
from Testing.browser.review_page import LEFT, RIGHT, ml, two_lesions, written


def test_a_case_is_taken_drawn_in_undone_saved_and_accepted(an_engine, a_store, add_case, look_at, window):
    case, seed = add_case(), two_lesions()
    page = look_at(window)
    page.sign("Ada")
    page.take(case)
    untouched = page.volume()
    assert untouched.startswith("2 findings")
    page.press("Paint")
    page.drag(LEFT, RIGHT)
    painted = page.volume(untouched)
    assert painted.startswith("3 findings")
    page.press("Undo")
    assert page.volume(painted) == untouched
    page.press("Redo")
    assert page.volume(untouched) == painted
    page.press("Erase")
    page.drag(RIGHT, RIGHT)
    erased = page.volume(painted)
    page.press("Keep the largest")
    largest = page.volume(erased)
    assert largest.startswith("1 findings")
    page.press("Undo")
    assert page.volume(largest) == erased
    in_scene = written(window.data, lambda mask: f", {ml(mask):.2f} ml;" in erased)
    page.press("Save a draft")
    page.said("(Draft) saved")
    page.page.get_by_text("Then open the next case").click()
    page.press("Accept the case")
    page.page.wait_for_function("() => window.trame.state.state.DecisionsState__summary === 'No case is open.'")
    history = a_store.history(case)
    states = [revision.state for revision in history]
    assert states == ["seed", *["draft"] * (len(states) - 2), "accepted"], "drafts are saved on their own too"
    client = EngineClient(an_engine.url, an_engine.token)
    accepted = read_mask(client, case, history[-1].id).array
    assert (accepted == in_scene).all() and (accepted & ~seed).any() and (accepted & seed == seed).all()
    assert page.faults == []


def test_refreshing_the_page_in_mid_edit_changes_nothing_and_undo_goes_on(add_case, look_at, window):
    case = add_case()
    page = look_at(window)
    untouched = page.paint_in(case)
    painted = page.volume(untouched)
    page.page.reload()
    assert page.volume() == painted
    page.press("Undo")
    assert page.volume(painted) == untouched


def test_a_window_that_is_killed_loses_nothing(an_engine, add_case, look_at, open_window):
    case, seed = add_case(), two_lesions()
    with open_window() as killed:
        page = look_at(killed)
        untouched = page.paint_in(case)
        page.volume(untouched)
        in_scene = written(killed.data, lambda mask: (mask & ~seed).any())
        killed.process.kill()
    client = EngineClient(an_engine.url, an_engine.token)
    with open_window() as window:
        page = look_at(window)
        if page.state("AnnotatorState__name") != "Ada":
            page.sign("Ada")
        page.take(case)
        assert page.volume(untouched).startswith("3 findings")
        head = client.case(case).history[-1]
        assert head.state == "draft" and (read_mask(client, case, head.id).array == in_scene).all()


@pytest.mark.parametrize(("name", "line"), [("Ada", "in another window"), ("Grace", "Ada works on it until")])
def test_the_second_window_on_a_case_gets_one_clear_line(an_engine, add_case, look_at, window, open_window, name, line):
    case = add_case()
    first = look_at(window)
    first.sign("Ada")
    first.take(case)
    untouched = first.volume()
    with open_window("other") as other:
        second = look_at(other)
        second.sign(name)
        second.take(case)
        second.said(line)
        assert second.state("DecisionsState__summary") == "No case is open."
    first.press("Paint")
    first.drag(LEFT, RIGHT)
    first.volume(untouched)
    first.press("Save a draft")
    first.said("(Draft) saved")
