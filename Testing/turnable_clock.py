"""A clock for tests of what happens with time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone


@dataclass
class Clock:
    """Stands still until a test lets time pass."""

    now: datetime = datetime(2026, 1, 1, tzinfo=timezone.utc)

    def __call__(self) -> datetime:
        return self.now

    def pass_time(self, time: timedelta) -> None:
        self.now += time
