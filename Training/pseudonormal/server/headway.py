"""How far a process is that counts what it does, and how long it will take at the pace so far."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any


class Headway:
    """What the lines ``{"event": "progress", "done": ..., "total": ..., "message": ...}`` of a process come to.

    A line may name its "stage"; each stage counts from 0. What was counted before a break stays counted: a process that
    goes on begins at 0 too, until it has read what is there.

    :param clock: seconds, from any beginning.
    :ivar stage: of the last line; empty where it names none.
    :ivar message: of the last line.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.stage = self.message = ""
        self._clock = clock
        self._counts: dict[str, tuple[float, float]] = {}
        self._first: tuple[float, float] | None = None
        self._last: tuple[float, float] | None = None

    def begin(self) -> None:
        """Another process does it from now on: the pace of the one before says nothing."""
        self._first = self._last = None

    def hear(self, line: Mapping[str, Any]) -> None:
        """It has counted."""
        done, total, stage = float(line.get("done", 0)), float(line.get("total", 0)), str(line.get("stage", ""))
        if stage != self.stage:
            self.begin()
        self.stage, self.message = stage, str(line.get("message", ""))
        if done > 0:  # before that it reads what it needs, at a pace of its own
            self._last = (done, self._clock())
            self._first = self._first or self._last
        self._counts[stage] = (max(self.done(stage), done), total)

    def done(self, stage: str = "") -> float:
        """How much of a stage is done."""
        return self._counts.get(stage, (0.0, 0.0))[0]

    def total(self, stage: str = "") -> float:
        """How much there is to do in a stage."""
        return self._counts.get(stage, (0.0, 0.0))[1]

    def share(self, stage: str = "") -> float:
        """Of a stage that is done, 0 to 1."""
        return min(1.0, self.done(stage) / self.total(stage)) if self.total(stage) else 0.0

    @property
    def counting(self) -> bool:
        """Whether this process has done something in its stage."""
        return self._last is not None

    @property
    def minutes_left(self) -> float | None:
        """Of the stage, at the mean pace of this process; None before it has counted twice."""
        if self._first is None or self._last is None or self._last[0] <= self._first[0]:
            return None
        pace = (self._last[1] - self._first[1]) / (self._last[0] - self._first[0])
        return round(pace * (self.total(self.stage) - self._last[0]) / 60, 3)
