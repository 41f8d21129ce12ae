"""What place the annotator means."""

from __future__ import annotations

from typing import Any

from PseudoNormalLib.scene.navigation import place


def pointed_at(scene: Any) -> tuple[float, float, float] | None:
    """The place under the mouse while it is over a slice view, else where the crosshair stands; RAS mm."""
    crosshair = scene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
    position = [0.0, 0.0, 0.0]
    if crosshair is not None and crosshair.GetCursorPositionRAS(position):
        return position[0], position[1], position[2]
    return place(scene)
