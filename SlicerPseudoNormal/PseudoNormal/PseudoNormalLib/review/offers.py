"""What can be done now, and why something cannot: the same on the desktop and in the browser."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Offer:
    """One thing that the annotator may do.

    :param tip: what it does, for people.
    :param reason: why it cannot be done now, for people; empty when it can.
    """

    tip: str
    reason: str = ""

    @property
    def stands(self) -> bool:
        """Whether it can be done now."""
        return not self.reason

    @property
    def line(self) -> str:
        """What to say about it."""
        return self.reason or self.tip
