"""The Review tab in a real browser: take a case, draw with the mouse, undo, save, accept; and nothing is ever lost."""

from __future__ import annotations

import time

import numpy as np
import pytest
from PseudoNormalLib.engine.client import EngineClient
from PseudoNormalLib.review.submitting import read_mask
from Testing.browser.review_page import ReviewPage, journal_of
from Testing.browser.windows import running_window
from Testing.drawn_heads import add_drawn_head

SHAPE = (30, 64, 56)
MATRIX = np.array([[-2.4, 0.2, 0, 66], [0.2, 2.4, 0, -78], [0, 0, 4.0, -50], [0, 0, 0, 1.0]])
LEFT, RIGHT = (0.3, 0.4), (0.3, 0.55)
"""Where nothing is in the mask, in parts of the view."""


def two_lesions():
    z, y, x = np.indices(SHAPE)
    large = (z - 15) ** 2 + (y - 32) ** 2 + (x - 40) ** 2 < 6**2
    return large | ((z - 15) ** 2 + (y - 44) ** 2 + (x - 30) ** 2 < 3**2)


@pytest.fixture
def add_case(a_store, tmp_path):
    """Adds a case: an ellipsoid of tissue with two bright lesions, and its difference map."""
    return lambda: add_drawn_head(a_store, tmp_path, two_lesions(), MATRIX, centre=(15, 32, 28), radii=(14, 30, 26))


@pytest.fixture
def open_window(an_engine, tmp_path):
    """A window for a user on a computer of their own, while a block runs."""

    def opened(computer="Lékař"):
        folder = tmp_path / computer
        folder.mkdir(exist_ok=True)
        return running_window(an_engine.url, an_engine.token, folder)

    return opened


@pytest.fixture
def look_at(a_chromium):
    """Opens the Review tab of a window, and closes it in the end."""
    pages = []

    def looked(window):
        pages.append(a_chromium.new_page(viewport={"width": 1280, "height": 720}))
        return ReviewPage(pages[-1], window.url)

    yield looked
    for page in pages:
        page.close()


@pytest.fixture
def window(open_window):
    with open_window() as opened:
        yield opened


def ml(mask):
    return mask.sum() * abs(np.linalg.det(MATRIX)) / 1000


def written(folder, holds, seconds=60):
    """The mask in the journal, once it holds."""
    until = time.monotonic() + seconds
    while True:
        try:
            mask = journal_of(folder)
            if holds(mask):
                return mask
        except (IndexError, FileNotFoundError):
            pass
        assert time.monotonic() < until, "the journal never had it"
        time.sleep(0.02)


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
    page.sign("Ada")
    page.take(case)
    untouched = page.volume()
    page.press("Paint")
    page.drag(LEFT, RIGHT)
    painted = page.volume(untouched)
    page.page.reload()
    assert page.volume() == painted
    page.press("Undo")
    assert page.volume(painted) == untouched


def test_a_window_that_is_killed_loses_nothing(an_engine, add_case, look_at, open_window):
    case, seed = add_case(), two_lesions()
    with open_window() as killed:
        page = look_at(killed)
        page.sign("Ada")
        page.take(case)
        untouched = page.volume()
        page.press("Paint")
        page.drag(LEFT, RIGHT)
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
