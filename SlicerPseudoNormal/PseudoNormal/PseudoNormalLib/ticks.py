"""Being called again and again on the main thread, without blocking it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

Stop = Callable[[], None]


class Tick(Protocol):
    """What a host offers instead of its event loop."""

    def __call__(self, callback: Callable[[], None], seconds: float) -> Stop:
        """Call the callback on the main thread about every so many seconds, until what is returned is called."""
        ...


@dataclass
class _Entry:
    callback: Callable[[], None]
    seconds: float
    due: float
    stopped: bool = False


class Ticks:
    """A host's tick where there is no event loop: whoever waits for something drives it with :meth:`run_until`."""

    def __init__(self) -> None:
        self._entries: list[_Entry] = []

    def __call__(self, callback: Callable[[], None], seconds: float) -> Stop:
        """See :class:`Tick`."""
        entry = _Entry(callback, seconds, time.monotonic() + seconds)
        self._entries.append(entry)

        def stop() -> None:
            entry.stopped = True

        return stop

    def run_until(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Call what is due until the condition holds.

        :param seconds: the longest to wait.
        :returns: whether the condition holds.
        """
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                return False
            self._call_due()
            time.sleep(0.002)
        return True

    def _call_due(self) -> None:
        self._entries = [entry for entry in self._entries if not entry.stopped]
        for entry in tuple(self._entries):
            if not entry.stopped and entry.due <= time.monotonic():
                entry.due = time.monotonic() + entry.seconds
                entry.callback()


def asyncio_tick(callback: Callable[[], None], seconds: float) -> Stop:
    """The tick of a host whose event loop is asyncio's; called on that loop, as trame calls its listeners.

    See :class:`Tick`.
    """
    loop = asyncio.get_running_loop()
    stopped = False

    def call() -> None:
        if stopped:
            return
        loop.call_later(seconds, call)
        callback()

    def stop() -> None:
        nonlocal stopped
        stopped = True

    loop.call_later(seconds, call)
    return stop
