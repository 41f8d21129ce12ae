"""Switching the input against the pseudo-normal in place: the eye sees at once what moves."""

from __future__ import annotations

from typing import Any

from PseudoNormalLib.i18n import _
from PseudoNormalLib.scene.case_nodes import CaseNodes
from PseudoNormalLib.scene.comparison import Comparison
from PseudoNormalLib.signals import Signal


class Flicker:
    """Toggles the views that show the input between it and its pseudo-normal.

    Those are the first column and whatever other view has the input in the background; a view with the difference map
    stays. ``changed`` is emitted with ``showing``.
    """

    def __init__(self, comparison: Comparison) -> None:
        self.changed = Signal()
        self._comparison = comparison
        self._switched: CaseNodes | None = None
        self._views: list[Any] = []
        comparison.changed.connect(self._on_comparison)

    @property
    def showing(self) -> str:
        """Which field of the case's nodes stands in the views: "image" or "pseudo_normal"."""
        return "image" if self._switched is None else "pseudo_normal"

    def toggle(self) -> None:
        """Show the other one; without a result nothing happens."""
        case = self._comparison.case
        if self._switched is not None:
            self.stop()
        elif case is not None and case.pseudo_normal is not None:
            self._switched = case
            self._views = [view for view in _showing(case.image) if not view.GetForegroundVolumeID()]
            _switch(self._views, case.image, case.pseudo_normal)
            self.changed.emit(self.showing)

    def stop(self) -> None:
        """Show the input again."""
        if self._switched is None:
            return
        _switch(self._views, self._switched.pseudo_normal, self._switched.image)
        self._switched, self._views = None, []
        self.changed.emit(self.showing)

    def _on_comparison(self, _case: CaseNodes | None) -> None:
        self.stop()


def showing_in_words(showing: str) -> str:
    """What :attr:`Flicker.showing` says, on a button."""
    return {"image": _("Flicker (F): scan"), "pseudo_normal": _("Flicker (F): pseudo-normal")}[showing]


def _switch(views: list[Any], old: Any, new: Any) -> None:
    for view in views:
        if view.GetBackgroundVolumeID() == old.GetID():  # somebody may have chosen another volume meanwhile
            view.SetBackgroundVolumeID(new.GetID())


def _showing(image: Any) -> list[Any]:
    """The composite nodes of the views that have the volume in the background."""
    scene, kind = image.GetScene(), "vtkMRMLSliceCompositeNode"
    nodes = [scene.GetNthNodeByClass(number, kind) for number in range(scene.GetNumberOfNodesByClass(kind))]
    return [node for node in nodes if node.GetBackgroundVolumeID() == image.GetID()]
