"""Two models' results for one scan, side by side: input | A over its difference | B over its difference."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import slicer

from PseudoNormalLib.observation import Observation
from PseudoNormalLib.scene.colours import symmetric_limit
from PseudoNormalLib.scene.layout import (
    ORIENTATIONS,
    box,
    composite_of,
    described_view,
    fit,
    linked_view,
    register_layouts,
)
from PseudoNormalLib.scene.overlay import Overlay, colour_difference
from PseudoNormalLib.scene.volumes import array_of
from PseudoNormalLib.scene.window_level import SharedWindow

if TYPE_CHECKING:
    from PseudoNormalLib.hosts import Host
    from PseudoNormalLib.scene.case_nodes import CaseNodes

LAYOUT = 7612
"""The number that Slicer's layout menu knows the layout by."""
VIEWS = {
    "model_input": "Input",
    "normal_a": "A",
    "difference_a": "Difference A",
    "normal_b": "B",
    "difference_b": "Difference B",
}
"""What the views show, and how they are labelled."""


class ModelComparison:
    """Shows what two models made of one scan; the difference maps have the same colours for the same robust z."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._windows: list[SharedWindow] = []
        self._removed: Observation | None = None
        self._shown: tuple[Any, ...] = ()

    def show(self, a: CaseNodes, b: CaseNodes) -> None:
        """Put two results into the views.

        :param a: one model's results; b: the other's, for the same input.
        """
        self.close()
        scene = self._host.scene
        layouts = register_layouts(scene)
        if not layouts.IsLayoutDescription(LAYOUT):
            layouts.AddLayoutDescription(LAYOUT, _description())
        layouts.SetViewArrangement(LAYOUT)
        limit = max(symmetric_limit(array_of(case.difference_z)) for case in (a, b))
        overlay = replace(Overlay(), limit=limit)
        for case in (a, b):
            colour_difference(case.difference_z, overlay)
        self._fill("model_input", a.image)
        for name, case in (("a", a), ("b", b)):
            self._fill(f"normal_{name}", case.pseudo_normal)
            self._fill(f"difference_{name}", case.image, case.difference_z, overlay.opacity)
            self._windows.append(SharedWindow(case.image, case.pseudo_normal))
        self._shown = tuple(node for case in (a, b) for node in (case.image, case.pseudo_normal, case.difference_z))
        self._removed = Observation(scene, slicer.vtkMRMLScene.NodeRemovedEvent, self._on_node_removed)
        fit(self._host.application_logic, [self.view(name) for name in VIEWS])

    def view(self, name: str) -> Any:
        """The vtkMRMLSliceNode of one of ``VIEWS``."""
        return linked_view(self._host.scene, name, ORIENTATIONS[0], VIEWS[name])

    def close(self) -> None:
        """Let go of the nodes; the views stay as they are."""
        for window in self._windows:
            window.close()
        self._windows, self._shown = [], ()
        if self._removed is not None:
            self._removed.stop()
            self._removed = None

    def _fill(self, name: str, background: Any, foreground: Any = None, opacity: float = 0.0) -> None:
        composite = composite_of(self.view(name))
        changing = composite.StartModify()
        composite.SetBackgroundVolumeID(background.GetID())
        composite.SetForegroundVolumeID(foreground.GetID() if foreground else None)
        composite.SetForegroundOpacity(opacity)
        composite.SetLabelVolumeID(None)
        composite.EndModify(changing)

    def _on_node_removed(self, scene: Any, _event: str) -> None:
        if not all(scene.IsNodePresent(node) for node in self._shown):
            self.close()


def _description() -> str:
    views = {name: described_view(name, ORIENTATIONS[0], label) for name, label in VIEWS.items()}
    models = [box("vertical", [views[f"normal_{name}"], views[f"difference_{name}"]]) for name in ("a", "b")]
    return box("horizontal", [views["model_input"], *models])
