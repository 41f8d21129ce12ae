"""Views are drawn one at a time, the one under the mouse first, and each picture leaves before the next is drawn."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from PseudoNormalWeb.window.pictures import MOVING_QUALITY, STILL_QUALITY, Drawing, Pictures

PATIENCE_S = 20.0


class DrawnView:
    """A view that notes when it is drawn; drawing it asks for it once more, as Slicer's displayable managers do.

    :ivar coarse: whether it has to be drawn anew once nothing moves.
    """

    def __init__(self, name, drawing, events):
        self.name, self._events, self.coarse = name, events, False
        self.pictures = Pictures(self, drawing)
        self.pictures.set_push_callback(
            lambda content, about: events.append((name, about["quality"], content[:2] == b"\xff\xd8"))
        )

    @property
    def img_cols_rows(self):
        self._events.append((self.name, "drawn"))
        self.pictures.schedule_render()
        return np.zeros((20, 30, 3), np.uint8), 20, 30

    def settle(self):
        was, self.coarse = self.coarse, False
        return was


@pytest.fixture
def drawn_until():
    """Runs what is asked for until so much has happened, or a while; gives what happened."""

    def run(ask, enough):
        events = []

        async def live():
            drawing = Drawing()
            views = [DrawnView(name, drawing, events) for name in ("left", "middle", "right")]
            await asyncio.sleep(0)
            ask(views)
            until = asyncio.get_running_loop().time() + PATIENCE_S
            while len(events) < enough and asyncio.get_running_loop().time() < until:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.5)  # nothing more comes
            drawing.close()

        with ThreadPoolExecutor(1) as aside:  # a browser of another test may have a loop of its own in this thread
            aside.submit(asyncio.run, live()).result()
        return events

    return run


def test_the_view_under_the_mouse_is_drawn_and_sent_before_the_others_and_all_are_sharp_in_the_end(drawn_until):
    def ask(views):
        views[2].pictures.prefer()
        for view in views:
            view.pictures.schedule_render()

    events = drawn_until(ask, 9)
    moving = [each for name in ("right", "left", "middle") for each in ((name, "drawn"), (name, MOVING_QUALITY, True))]
    assert events[:6] == moving
    assert sorted(events[6:]) == sorted((name, STILL_QUALITY, True) for name in ("left", "middle", "right"))


def test_a_coarse_view_is_drawn_once_more_when_nothing_moves(drawn_until):
    def ask(views):
        views[1].coarse = True
        for view in views[:2]:
            view.pictures.schedule_render()

    events = drawn_until(ask, 7)
    assert set(events[4:]) == {("left", STILL_QUALITY, True), ("middle", "drawn"), ("middle", STILL_QUALITY, True)}
    assert len(events) == 7


def test_a_view_that_changes_all_the_time_lets_the_others_have_their_turn(drawn_until):
    def ask(views):
        views[0].pictures.prefer()
        for view in views:
            view.pictures.schedule_render()
        loop = asyncio.get_running_loop()
        for number in range(100):
            loop.call_later(number * 0.005, views[0].pictures.schedule_render)

    events = drawn_until(ask, 12)
    drawn = [event[0] for event in events if event[1] == "drawn"]
    assert drawn[:3] == ["left", "middle", "right"]
    assert drawn.count("left") > 3


def test_a_view_that_is_gone_is_drawn_no_more(drawn_until):
    def ask(views):
        for view in views:
            view.pictures.schedule_render()
        asyncio.get_running_loop().create_task(views[1].pictures.close())

    events = drawn_until(ask, 6)
    assert {event[0] for event in events} <= {"left", "right"}
