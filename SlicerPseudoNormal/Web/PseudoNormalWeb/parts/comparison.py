"""How the case is looked at: layout, overlay, flicker, surface, crosshair."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import slicer
from PseudoNormalLib.i18n import _
from PseudoNormalLib.observation import Observation
from PseudoNormalLib.scene.flicker import showing_in_words
from PseudoNormalLib.scene.layout import Arrangement
from PseudoNormalLib.scene.lesions import surface_shown
from PseudoNormalLib.scene.navigation import jump_to, place
from PseudoNormalLib.scene.overlay import GREATEST_THRESHOLD
from trame.widgets import html
from trame.widgets import vuetify3 as v3
from trame_server.utils.typed_state import TypedState

from PseudoNormalWeb.window.forms import button, section

if TYPE_CHECKING:
    from PseudoNormalLib.scene.case_nodes import CaseNodes

    from PseudoNormalWeb.window.window import Window

CROSSHAIR = slicer.vtkMRMLCrosshairNode.ShowSmallBasic


@dataclass
class ComparisonState:
    """How the case is shown.

    :param threshold: robust z.
    :param limit: where the colours end, robust z.
    :param no_case: why nothing can be looked at; the others likewise.
    """

    arrangement: str = Arrangement.COLUMNS.name
    visible: bool = True
    threshold: float = 1.0
    opacity: float = 0.8
    limit: float = 0.0
    flicker: str = ""
    flickered: bool = False
    surface: bool = False
    crosshair: bool = True
    no_case: str = ""
    no_result: str = ""
    no_surface: str = ""


class ComparisonPart:
    """Buttons and sliders for the comparison; they follow it too."""

    def __init__(self, window: Window) -> None:
        self._comparison, self._flicker = window.bench.comparison, window.bench.flicker
        self._scene, self._views = window.host.scene, window.app.view_manager
        self._crosshair = self._scene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
        self._crosshair.SetCrosshairMode(CROSSHAIR)
        self._state = TypedState(window.server.state, ComparisonState)
        name, comparison = self._state.name, self._comparison
        self._state.bind_changes({
            name.arrangement: lambda arrangement: self._arrange(Arrangement[arrangement]),
            name.visible: lambda visible: comparison.set_overlay(visible=visible),
            name.threshold: lambda threshold: comparison.set_overlay(threshold=float(threshold)),
            name.opacity: lambda opacity: comparison.set_overlay(opacity=float(opacity)),
            name.surface: self._show_surface,
            name.crosshair: self._show_crosshair,
        })  # fmt: skip
        self._observation = Observation(self._crosshair, "ModifiedEvent", self._follow_crosshair)
        comparison.changed.connect(self._follow)
        self._flicker.changed.connect(self._follow_flicker)
        self._follow(comparison.case)
        self._follow_flicker(self._flicker.showing)

    def build(self) -> None:
        """Make the widgets, inside the trame layout that is open."""
        name = self._state.name
        with section(_("Compare")):
            self._build_layout()
            with html.Div(title=(f"{name.no_result} || '{_('Red: brighter than the pseudo-normal; blue: darker')}'",)):
                v3.VCheckbox(
                    v_model=(name.visible,), label=_("Difference map over the scan"), disabled=(f"!!{name.no_result}",)
                )
            tip = _("Differences smaller than this are not shown; robust z")
            self._build_slider(_("Threshold, z"), name.threshold, GREATEST_THRESHOLD, 0.1, 1, tip)
            tip = _("How much of the scan the difference map covers")
            self._build_slider(_("Opacity"), name.opacity, 1.0, 0.05, 2, tip)
            with html.Div(v_show=f"{name.limit} > 0", classes="pn-legend"):
                html.Span(f"−{{{{ {name.limit}.toFixed(1) }}}}")
                html.Div(classes="pn-colours")
                html.Span(f"+{{{{ {name.limit}.toFixed(1) }}}} z")
            tip = _("Show the other one in place; the key F does the same")
            button(f"{{{{ {name.flicker} }}}}", self._flicker.toggle, tip=tip, reason=name.no_result, wide=True,
                   active=(name.flickered,))  # fmt: skip
            with html.Div(classes="pn-row"):
                with html.Div(title=(f"{name.no_surface} || '{_('The lesion mask as a surface')}'",)):
                    v3.VCheckbox(
                        v_model=(name.surface,), label=_("Lesion surface in 3D"), disabled=(f"!!{name.no_surface}",)
                    )
                with html.Div(title=_("Hold Shift and move the mouse to go with it to that place in all views")):
                    v3.VCheckbox(v_model=(name.crosshair,), label=_("Crosshair"))

    def close(self) -> None:
        """Follow no more; the part is not used again."""
        self._comparison.changed.disconnect(self._follow)
        self._flicker.changed.disconnect(self._follow_flicker)
        self._observation.stop()

    def _build_layout(self) -> None:
        name = self._state.name
        with html.Div(title=(name.no_case,), classes="pn-row"), v3.VBtnToggle(
            v_model=(name.arrangement,), mandatory=True, density="compact", disabled=(f"!!{name.no_case}",),
            variant="outlined", divided=True,
        ):  # fmt: skip
            tip = _("Scan, pseudo-normal and difference side by side")
            v3.VBtn(_("Three columns"), value=Arrangement.COLUMNS.name, title=tip)
            v3.VBtn(
                _("All directions and 3D"), value=Arrangement.GRID.name, title=_("Nine slice views and the 3D view")
            )
        with html.Div(classes="pn-row"):
            button(_("Fit the whole head"), self._comparison.refit, reason=name.no_case)
            tip = _("As bright as when the scan was loaded; dragging in a slice changes it")
            button(_("Reset brightness"), self._comparison.reset_window, tip=tip, reason=name.no_case)

    def _build_slider(self, label: str, state: str, greatest: float, step: float, decimals: int, tip: str) -> None:
        reason = self._state.name.no_result
        with html.Div(title=(f"{reason} || '{tip}'",), classes="pn-slide"):
            html.Span(label)
            v3.VSlider(v_model=(state,), min=0, max=greatest, step=step, disabled=(f"!!{reason}",), name=label)
            html.Span(f"{{{{ {state}.toFixed({decimals}) }}}}", classes="pn-value")

    def _arrange(self, arrangement: Arrangement) -> None:
        if arrangement is not self._comparison.arrangement:
            at = place(self._scene)
            self._comparison.arrange(arrangement)
            if at is not None and any(at):  # somebody has been somewhere: back there, from the middle of the head
                jump_to(self._scene, at)

    def _show_surface(self, shown: bool) -> None:
        self._comparison.show_surface(shown)
        if shown:
            for view in self._views.get_threed_views():
                view.fit_view_to_content()

    def _show_crosshair(self, shown: bool) -> None:
        self._crosshair.SetCrosshairMode(CROSSHAIR if shown else slicer.vtkMRMLCrosshairNode.NoCrosshair)

    def _follow(self, case: CaseNodes | None) -> None:
        data, overlay = self._state.data, self._comparison.overlay
        data.arrangement = self._comparison.arrangement.name
        data.visible, data.threshold, data.opacity = overlay.visible, overlay.threshold, overlay.opacity
        data.limit = self._comparison.limit if case is not None and case.complete else 0.0
        data.surface = case is not None and surface_shown(case.lesions)
        data.no_case, data.no_result = self._comparison.obstacle(), self._comparison.result_obstacle()
        data.no_surface = self._comparison.surface_obstacle()

    def _follow_flicker(self, showing: str) -> None:
        self._state.data.flicker = showing_in_words(showing)
        self._state.data.flickered = showing != "image"

    def _follow_crosshair(self, *_event: Any) -> None:
        self._state.data.crosshair = self._crosshair.GetCrosshairMode() != slicer.vtkMRMLCrosshairNode.NoCrosshair
