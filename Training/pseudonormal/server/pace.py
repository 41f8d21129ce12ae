"""How far a job is and how long it will take, told by how long the last ones took."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from statistics import median

from pseudonormal.generate.stages import SHARES, share_before

REMEMBERED = 9
GUESS_SECONDS = 60.0
"""A job's length before any has been seen: it moves the bar, but nobody is told a time."""


class Pace:
    """The durations of the last jobs by stage."""

    def __init__(self) -> None:
        self._runs: deque[Mapping[str, float]] = deque(maxlen=REMEMBERED)

    def add(self, seconds: Mapping[str, float]) -> None:
        """Remember a finished job.

        :param seconds: of each stage of ``SHARES``.
        """
        self._runs.append(dict(seconds))

    def progress(self, stage: str, elapsed: float) -> float:
        """The share of the work that is done, 0 to 1; it rises for as long as a stage takes.

        :param elapsed: seconds since the stage began.
        """
        expected = max(self._expected(stage), 1e-3)
        within = 1 - math.exp(-2 * elapsed / expected)
        return share_before(stage) + SHARES[stage] * within

    def seconds_left(self, stage: str, elapsed: float) -> float | None:
        """How long a job will still take; None when none has been seen yet."""
        if not self._runs:
            return None
        stages = list(SHARES)
        later = sum(self._expected(name) for name in stages[stages.index(stage) + 1 :])
        return round(max(0.0, self._expected(stage) - elapsed) + later, 1)

    def _expected(self, stage: str) -> float:
        if not self._runs:
            return GUESS_SECONDS * SHARES[stage]
        return median([run.get(stage, 0.0) for run in self._runs])
