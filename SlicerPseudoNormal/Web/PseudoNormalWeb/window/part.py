"""What the page is put together from."""

from __future__ import annotations

from typing import Protocol


class Part(Protocol):
    """A piece of the page with one job: shows what the logic says, and hands it what the user does."""

    def build(self) -> None:
        """Make the widgets, inside the trame layout that is open."""
        ...

    def close(self) -> None:
        """Let go of the logic's signals; the part is not used again."""
        ...
