"""How the case is looked at: layout, overlay, flicker, surface."""

from __future__ import annotations

from typing import Any

import ctk
import qt

from PseudoNormalLib.i18n import _
from PseudoNormalLib.panels.forms import allow, button, row, section
from PseudoNormalLib.scene.case_nodes import CaseNodes
from PseudoNormalLib.scene.comparison import Comparison
from PseudoNormalLib.scene.flicker import Flicker, showing_in_words
from PseudoNormalLib.scene.layout import Arrangement
from PseudoNormalLib.scene.lesions import surface_shown
from PseudoNormalLib.scene.overlay import GREATEST_THRESHOLD

FLICKER_KEY = "F"


class ComparisonBox:
    """Buttons and sliders for the comparison; they follow it too.

    :ivar widget: the section.
    """

    def __init__(self, comparison: Comparison, flicker: Flicker) -> None:
        self._comparison, self._flicker = comparison, flicker
        self.widget, form = section(_("Compare"))
        self.columns_button = button(_("Three columns"), "", lambda: comparison.arrange(Arrangement.COLUMNS))
        self.grid_button = button(_("All directions and 3D"), "", lambda: comparison.arrange(Arrangement.GRID))
        form.addRow(_("Layout:"), row(self.columns_button, self.grid_button))
        self.overlay_check = qt.QCheckBox(_("Difference map over the scan"))
        self.overlay_check.toggled.connect(lambda shown: comparison.set_overlay(visible=bool(shown)))
        form.addRow(self.overlay_check)
        self.threshold = _slider(GREATEST_THRESHOLD, 0.1, 1)
        self.threshold.valueChanged.connect(lambda value: comparison.set_overlay(threshold=float(value)))
        form.addRow(_("Threshold, z:"), self.threshold)
        self.opacity = _slider(1.0, 0.05, 2)
        self.opacity.valueChanged.connect(lambda value: comparison.set_overlay(opacity=float(value)))
        form.addRow(_("Opacity:"), self.opacity)
        self.flicker_button = qt.QPushButton()
        self.flicker_button.checkable = True
        self.flicker_button.clicked.connect(flicker.toggle)
        self.surface_check = qt.QCheckBox(_("Lesion surface in 3D"))
        self.surface_check.toggled.connect(lambda shown: comparison.show_surface(bool(shown)))
        form.addRow(row(self.flicker_button, self.surface_check))
        comparison.changed.connect(self._follow)
        flicker.changed.connect(self._follow_flicker)
        self._follow(comparison.case)
        self._follow_flicker(flicker.showing)

    def close(self) -> None:
        """Follow no more."""
        self._comparison.changed.disconnect(self._follow)
        self._flicker.changed.disconnect(self._follow_flicker)

    def _follow(self, case: CaseNodes | None) -> None:
        overlay = self._comparison.overlay
        for widget, value in ((self.threshold, overlay.threshold), (self.opacity, overlay.opacity)):
            if widget.value != value:
                widget.value = value
        self.overlay_check.checked = overlay.visible
        self.surface_check.checked = case is not None and surface_shown(case.lesions)
        none, nothing = self._comparison.obstacle(), self._comparison.result_obstacle()
        allow(self.columns_button, _("Scan, pseudo-normal and difference side by side"), none)
        allow(self.grid_button, _("Nine slice views and the 3D view"), none)
        allow(self.overlay_check, _("Red: brighter than the pseudo-normal; blue: darker"), nothing)
        allow(self.threshold, _("Differences smaller than this are not shown; robust z"), nothing)
        allow(self.opacity, _("How much of the scan the difference map covers"), nothing)
        allow(self.flicker_button, _("Show the other one in place; the key F does the same"), nothing)
        allow(self.surface_check, _("The lesion mask as a surface"), self._comparison.surface_obstacle())

    def _follow_flicker(self, showing: str) -> None:
        self.flicker_button.checked = showing != "image"
        self.flicker_button.text = showing_in_words(showing)


def _slider(greatest: float, step: float, decimals: int) -> Any:
    slider = ctk.ctkSliderWidget()
    slider.decimals = decimals
    slider.singleStep = step
    slider.minimum = 0.0
    slider.maximum = greatest
    return slider
