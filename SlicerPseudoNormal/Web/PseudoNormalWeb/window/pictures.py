"""Which view is drawn when: the one under the mouse first, and each picture is sent before the next view is drawn.

Drawing holds up everything else. trame's own scheduler has every view draw for itself, so that of three linked columns
the first picture left only when the last one was drawn.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from trame_rca.encoders import RcaImageEncoder
from trame_server.utils.asynchronous import create_task

FRAMES_PER_S = 30.0
MOVING_QUALITY, STILL_QUALITY = 70, 95
"""Of JPEG: while something moves, and once it stands still."""
SENDING_S = 0.001
"""Turns of the loop by which a picture is on its way."""
RESTING_S = 0.2
"""After which nothing moves any more."""


class Pictures:
    """The pictures of one view: what trame's adapter takes for the view's scheduler.

    :param window: draws the view when it is asked for ``img_cols_rows``; see :class:`PictureOfView` for ``settle``.
    :ivar due: ``time.monotonic()`` from which it may be drawn again.
    """

    def __init__(self, window: Any, drawing: Drawing) -> None:
        self.rca, self.target_fps, self.due = window, FRAMES_PER_S, 0.0
        self._drawing = drawing
        self._send: Callable[[bytes, dict[str, Any]], None] = lambda *_picture: None
        self._drawn: tuple[Any, int, int] | None = None

    def set_push_callback(self, callback: Callable[[bytes, dict[str, Any]], None]) -> None:
        """Who sends the pictures."""
        self._send = callback

    def schedule_render(self) -> None:
        """The view has changed."""
        self._drawing.ask(self)

    def prefer(self) -> None:
        """The view is the one that is looked at."""
        self._drawing.prefer(self)

    async def close(self) -> None:
        """Draw no more."""
        self._drawing.forget(self)

    def reset(self) -> None:
        """Every picture is whole: there is nothing to begin anew."""

    def draw(self) -> None:
        """Draw the view as it is now, and send it."""
        self._drawn = self.rca.img_cols_rows
        self._push(MOVING_QUALITY)
        self.due = time.monotonic() + 1 / self.target_fps

    def sharpen(self) -> None:
        """Send what was drawn last once more, as it is to stay."""
        if self.rca.settle():
            self._drawn = self.rca.img_cols_rows
        self._push(STILL_QUALITY)

    def _push(self, quality: int) -> None:
        # Not on a thread: it takes 3 ms, and Pillow lets no other Python run meanwhile.
        picture, about, _made = RcaImageEncoder.JPEG.encode(*self._drawn, quality)
        self._send(picture, about)


class Drawing:
    """Draws the views of a page, one at a time."""

    def __init__(self) -> None:
        self._asked: list[Pictures] = []
        self._coarse: list[Pictures] = []
        self._preferred: Pictures | None = None
        self._news = asyncio.Event()
        self._task = create_task(self._work())

    def ask(self, pictures: Pictures) -> None:
        """Have a view drawn soon."""
        if pictures not in self._asked:
            self._asked.append(pictures)
            self._news.set()

    def prefer(self, pictures: Pictures) -> None:
        """Have a view drawn before all others from now on."""
        self._preferred = pictures

    def forget(self, pictures: Pictures) -> None:
        """Do not draw a view any more."""
        for some in (self._asked, self._coarse):
            if pictures in some:
                some.remove(pictures)

    def close(self) -> None:
        """Draw nothing any more."""
        self._task.cancel()

    async def _work(self) -> None:
        while True:
            if self._asked:
                await self._draw_next()
            elif not await self._asked_within(RESTING_S if self._coarse else None):
                while self._coarse and not self._asked:
                    still = self._coarse.pop(0)
                    still.sharpen()
                    self._drew(still)
                    await asyncio.sleep(SENDING_S)

    async def _draw_next(self) -> None:
        """Draw the preferred view if it is due, else the one that has waited longest; none may be due yet."""
        now = time.monotonic()
        due = [each for each in self._asked if each.due <= now]
        if not due:
            await asyncio.sleep(min(each.due for each in self._asked) - now)
            return
        chosen = self._preferred if self._preferred in due else due[0]
        chosen.draw()
        self._drew(chosen)
        if chosen not in self._coarse:
            self._coarse.append(chosen)
        await asyncio.sleep(SENDING_S)

    def _drew(self, pictures: Pictures) -> None:
        if pictures in self._asked:  # drawing a view asks for that view once more
            self._asked.remove(pictures)

    async def _asked_within(self, seconds: float | None) -> bool:
        """Whether a view is asked for in time; None: wait for ever."""
        self._news.clear()
        try:
            await asyncio.wait_for(self._news.wait(), seconds)
        except asyncio.TimeoutError:
            return False
        return True
