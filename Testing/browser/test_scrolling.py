"""Slices that move are drawn with fewer pixels, never fewer than the scan has, and are whole again once they rest."""

from __future__ import annotations

import pytest
from Testing.browser.windows import VIEW

# Notes the width of each picture of a view.
WATCH = """
(selector) => {
  window.widths = [];
  const picture = document.querySelector(selector + ' .pn-picture img');
  new MutationObserver(async () => {
    const shown = new Image();
    shown.src = picture.src;
    await shown.decode();
    window.widths.push(shown.naturalWidth);
  }).observe(picture, { attributes: true, attributeFilter: ['src'] });
  return picture.naturalWidth;
}
"""
RESTS = "(whole) => window.widths.length > 1 && window.widths.at(-1) === whole"


@pytest.fixture
def a_slice(one_page):
    """The page, and the width of the axial slice, of which the mouse is in the middle."""
    one_page.wait_until_shown("image")
    one_page.page.wait_for_timeout(1500)  # whatever is drawn in the beginning
    one_page.view("image").hover()
    one_page.whole = one_page.page.evaluate(WATCH, VIEW.format(column="image", orientation="Axial"))
    return one_page


def turn(page, up):
    """The wheel by one slice, and the pictures until the last is whole."""
    place = page.place()
    page.page.evaluate("() => { window.widths = []; }")
    page.page.mouse.wheel(0, -100 if up else 100)
    page.wait_until_placed(f"not {place}")
    page.wait(RESTS, page.whole)
    return page.page.evaluate("() => window.widths")


def test_a_slice_is_coarse_while_it_moves_and_as_it_was_when_it_comes_back(a_slice):
    turn(a_slice, up=True)
    turn(a_slice, up=False)  # on the slices that the wheel goes by
    before = a_slice.settled("image")
    assert turn(a_slice, up=True)[0] == a_slice.whole // 2
    assert turn(a_slice, up=False)[0] == a_slice.whole // 2
    assert a_slice.settled("image") == before


def test_what_is_coarser_than_the_scan_already_stays_as_it_is(a_slice):
    a_slice.page.keyboard.down("Control")
    for _ in range(12):
        a_slice.page.mouse.wheel(0, 100)  # away from it
        a_slice.page.wait_for_timeout(100)
    a_slice.page.keyboard.up("Control")
    a_slice.page.wait_for_timeout(1000)
    assert set(turn(a_slice, up=True)) == {a_slice.whole}


def test_a_drag_right_after_the_wheel_sees_whole_pictures(a_slice):
    place, page = a_slice.place(), a_slice.page
    page.evaluate("() => { window.widths = []; }")
    page.mouse.wheel(0, -100)
    a_slice.wait_until_placed(f"not {place}")
    page.mouse.down()
    box = a_slice.view("image").bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    seen = []
    for step in range(100):  # without a rest, at which pictures would be whole anyway
        page.mouse.move(middle[0] + 8 * (step % 10), middle[1])
        page.wait_for_timeout(50)
        seen = page.evaluate("() => window.widths")
        if seen.count(a_slice.whole) > 3:
            break
    assert seen.count(a_slice.whole) > 3
    page.mouse.up()
    a_slice.wait(RESTS, a_slice.whole)
    seen = page.evaluate("() => window.widths")
    # what the wheel drew may still have been under way when the button went down
    assert set(seen[seen.index(a_slice.whole) :]) == {a_slice.whole}
