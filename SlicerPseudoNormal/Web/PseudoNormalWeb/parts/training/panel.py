"""The Training tab, put together from its parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PseudoNormalWeb.parts.training.compare import ComparePart
from PseudoNormalWeb.parts.training.curves import CurvesPart
from PseudoNormalWeb.parts.training.database import DatabasePart
from PseudoNormalWeb.parts.training.queue import QueuePart
from PseudoNormalWeb.parts.training.start import StartPart
from PseudoNormalWeb.parts.training.state import StatePart
from PseudoNormalWeb.parts.training.versions import VersionsPart

if TYPE_CHECKING:
    from PseudoNormalWeb.window.part import Part
    from PseudoNormalWeb.window.window import Window


class TrainingPart:
    """What the lab sees: how the training is, a new one, curves, a database, the queue, versions, models compared."""

    def __init__(self, window: Window) -> None:
        self._training = window.training
        kinds = (StatePart, StartPart, CurvesPart, DatabasePart, QueuePart, VersionsPart, ComparePart)
        self._parts: list[Part] = [kind(window) for kind in kinds]

    def build(self) -> None:
        """Make the widgets, inside the trame layout that is open."""
        for part in self._parts:
            part.build()
        # From the beginning, so that the tab is up to date whenever it is turned to.
        self._training.wake()

    def close(self) -> None:
        """Follow no more; the part is not used again."""
        for part in self._parts:
            part.close()
