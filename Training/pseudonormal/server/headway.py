"""How far a process is that counts what it does, and how long it will take at the pace so far."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any


class Headway:
    """What the lines ``{"event": "progress", "done": ..., "total": ..., "message": ...}`` of a process come to.

    :param clock: seconds, from any beginning.
    :ivar done: the most that was ever counted; a process that goes on counts from 0 until it has read what is there.
    :ivar message: what it said with the last count.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.done, self.total, self.message = 0.0, 0.0, ""
        self._clock = clock
        self._first: tuple[float, float] | None = None
        self._last: tuple[float, float] | None = None

    def begin(self) -> None:
        """Another process does it from now on: the pace of the one before says nothing."""
        self._first = self._last = None

    def hear(self, line: Mapping[str, Any]) -> None:
        """It has counted."""
        done, self.total = float(line.get("done", 0)), float(line.get("total", 0))
        self.message = str(line.get("message", ""))
        if done > 0:  # before that it reads what it needs, at a pace of its own
            self._last = (done, self._clock())
            self._first = self._first or self._last
        self.done = max(self.done, done)

    @property
    def counting(self) -> bool:
        """Whether this process has done something."""
        return self._last is not None

    @property
    def share(self) -> float:
        """Of the whole that is done, 0 to 1."""
        return min(1.0, self.done / self.total) if self.total else 0.0

    @property
    def minutes_left(self) -> float | None:
        """At the mean pace of this process; None before it has counted twice."""
        if self._first is None or self._last is None or self._last[0] <= self._first[0]:
            return None
        pace = (self._last[1] - self._first[1]) / (self._last[0] - self._first[0])
        return round(pace * (self.total - self._last[0]) / 60, 3)
