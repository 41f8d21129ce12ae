"""Input, pseudo-normal and difference side by side."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import slicer

from PseudoNormalLib.i18n import _
from PseudoNormalLib.observation import Observation
from PseudoNormalLib.parameters import ParameterNode, node_field
from PseudoNormalLib.scene.case_nodes import CaseNodes, case_of
from PseudoNormalLib.scene.layout import Arrangement, composite_of, fit, show_layout, slice_nodes
from PseudoNormalLib.scene.lesions import show_surface, surface_shown
from PseudoNormalLib.scene.overlay import Overlay, colour_difference
from PseudoNormalLib.scene.window_level import SharedWindow
from PseudoNormalLib.signals import Signal

if TYPE_CHECKING:
    from PseudoNormalLib.hosts import Host

MODULE = "PseudoNormalComparison"


@dataclass(frozen=True)
class Shown:
    """What the scene keeps of the comparison.

    :param image: the input of the case that is shown.
    :param arrangement: name of an :class:`Arrangement`.
    """

    image: Any = node_field()
    arrangement: str = Arrangement.COLUMNS.name
    threshold: float = Overlay.threshold
    opacity: float = Overlay.opacity
    limit: float | None = Overlay.limit
    visible: bool = Overlay.visible


class Comparison:
    """Shows one case in linked columns: input | pseudo-normal | input with the difference map over it.

    What is shown is kept in the scene: after a scene was loaded, :meth:`resume` shows it again. ``changed`` is emitted
    with the case (or None) whenever another case, arrangement or overlay is shown.
    """

    def __init__(self, host: Host) -> None:
        self.changed = Signal()
        self.limit = 0.0
        self._host = host
        self._parameters = ParameterNode(host.scene, MODULE, Shown)
        self._case: CaseNodes | None = None
        self._window: SharedWindow | None = None
        self._removed: Observation | None = None

    @property
    def case(self) -> CaseNodes | None:
        """The case that is shown."""
        return self._case

    @property
    def _image(self) -> Any | None:
        return self._case.image if self._case is not None else None

    @property
    def overlay(self) -> Overlay:
        """How the difference map lies over the input."""
        shown = self._parameters.values
        return Overlay(**{field.name: getattr(shown, field.name) for field in fields(Overlay)})

    @property
    def arrangement(self) -> Arrangement:
        """The layout in use, or the one that will be."""
        return Arrangement[self._parameters.values.arrangement]

    def show(self, case: CaseNodes, arrangement: Arrangement | None = None) -> None:
        """Put a case into the columns.

        Views keep their place when they show another result of the same input; otherwise the whole head is fitted in.

        :param case: one without results shows its input in the first column.
        :param arrangement: by default the one in use.
        """
        arrangement = arrangement or self.arrangement
        refit = self._case is None or self._case.image is not case.image or arrangement is not self.arrangement
        self._release()
        self._case = case
        self._parameters.update(image=case.image, arrangement=arrangement.name)
        show_layout(self._host.scene, arrangement)
        if case.pseudo_normal is not None:
            self._window = SharedWindow(case.image, case.pseudo_normal)
        self._removed = Observation(self._host.scene, slicer.vtkMRMLScene.NodeRemovedEvent, self._on_node_removed)
        self._apply()
        if refit:
            self.refit()
        self.changed.emit(case)

    def set_overlay(self, **values: Any) -> None:
        """Change how the difference map lies over the input.

        :param values: fields of :class:`Overlay`.
        """
        if all(getattr(self.overlay, name) == value for name, value in values.items()):
            return
        self._parameters.update(**asdict(replace(self.overlay, **values)))
        if self._case is not None:
            self._apply()
            self.changed.emit(self._case)

    def show_surface(self, shown: bool) -> None:
        """Show or hide the surface of the case's lesions in 3D; without a lesion mask nothing happens."""
        if self._case is not None and self._case.lesions is not None and surface_shown(self._case.lesions) != shown:
            show_surface(self._case.lesions, shown)

    def arrange(self, arrangement: Arrangement) -> None:
        """Show the same case in another layout; without a case nothing happens."""
        if self._case is not None:
            self.show(self._case, arrangement)

    def obstacle(self) -> str:
        """Why nothing can be looked at, in one line; empty when a case is shown."""
        return (
            ""
            if self._case is not None
            else _("No case is shown yet: choose a scan that has a result, or generate one")
        )

    def result_obstacle(self) -> str:
        """Why nothing can be compared, in one line; empty when there is a result."""
        complete = self._case is not None and self._case.complete
        return "" if complete else self.obstacle() or _("The case has no pseudo-normal yet: press Generate")

    def surface_obstacle(self) -> str:
        """Why no lesion can be seen in 3D, in one line; empty when one can."""
        lesions = self._case is not None and self._case.lesions is not None
        return "" if lesions else self.result_obstacle() or _("There is no mask")

    def resume(self) -> CaseNodes | None:
        """Show what the scene says was shown; None when it says nothing."""
        image = self._parameters.values.image
        if image is None:
            return None
        case = case_of(image)
        self.show(case)
        return case

    def refit(self) -> None:
        """Fit the whole head into the views and put them through its middle."""
        fit(self._host.application_logic, slice_nodes(self._host.scene), self._image)

    def reset_window(self) -> None:
        """Show the scan, and with it the pseudo-normal, in the grey window that Slicer chooses for it."""
        if self._case is not None:
            self._case.image.GetDisplayNode().SetAutoWindowLevel(True)

    def fit_into(self, view: Any) -> None:
        """Fit the whole head into a slice view, which stays where it is."""
        place = view.GetSliceOffset()
        fit(self._host.application_logic, [view], self._image)
        view.SetSliceOffset(place)

    def close(self) -> None:
        """Let go of the nodes; the views stay as they are."""
        self._release()
        if self._case is not None:
            self._case = None
            self.changed.emit(None)

    def _apply(self) -> None:
        case, overlay = self._case, self.overlay
        if case.difference_z is not None:
            self.limit = colour_difference(case.difference_z, overlay)
        self._fill("image", case.image)
        self._fill("pseudo_normal", case.pseudo_normal)
        over = case.difference_z if overlay.visible else None
        self._fill("difference", case.image if case.complete else None, over, overlay.opacity)

    def _fill(self, column: str, background: Any, foreground: Any = None, opacity: float = 0.0) -> None:
        for view in slice_nodes(self._host.scene, column):
            composite = composite_of(view)
            changing = composite.StartModify()
            composite.SetBackgroundVolumeID(background.GetID() if background else None)
            composite.SetForegroundVolumeID(foreground.GetID() if foreground else None)
            composite.SetForegroundOpacity(opacity if foreground else 0.0)
            composite.SetLabelVolumeID(None)
            composite.EndModify(changing)

    def _on_node_removed(self, scene: Any, _event: str) -> None:
        shown = [node for node in (self._case.image, self._case.pseudo_normal, self._case.difference_z) if node]
        if not all(scene.IsNodePresent(node) for node in shown):
            self.close()
        elif self._case.lesions is not None and not scene.IsNodePresent(self._case.lesions):
            self._case = replace(self._case, lesions=None)
            self.changed.emit(self._case)

    def _release(self) -> None:
        if self._window is not None:
            self._window.close()
            self._window = None
        if self._removed is not None:
            self._removed.stop()
            self._removed = None
