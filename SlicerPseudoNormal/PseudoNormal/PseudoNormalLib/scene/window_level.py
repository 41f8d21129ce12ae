"""One window and level for two volumes: what is changed on either is changed on both."""

from __future__ import annotations

from typing import Any

import vtk

from PseudoNormalLib.observation import Observation


class SharedWindow:
    """Keeps the grey windows of two scalar volumes equal, from the first one's on, until closed."""

    def __init__(self, leader: Any, follower: Any) -> None:
        self._displays = (leader.GetDisplayNode(), follower.GetDisplayNode())
        self._copying = False
        self._copy(*self._displays)
        self._observations = [
            Observation(display, vtk.vtkCommand.ModifiedEvent, self._changed) for display in self._displays
        ]

    def close(self) -> None:
        """Let them go their own ways."""
        for observation in self._observations:
            observation.stop()

    def _changed(self, display: Any, _event: str) -> None:
        if not self._copying:
            one, other = self._displays
            self._copy(display, other if display is one else one)

    def _copy(self, source: Any, target: Any) -> None:
        self._copying = True
        changing = target.StartModify()
        # Slicer's own choice of a window would differ where the lesion is gone.
        target.SetAutoWindowLevel(False)
        target.SetWindowLevel(source.GetWindow(), source.GetLevel())
        if source.GetColorNodeID():  # none while a scene is closed
            target.SetAndObserveColorNodeID(source.GetColorNodeID())
        target.SetInterpolate(source.GetInterpolate())
        target.EndModify(changing)
        self._copying = False
