"""The page: bar, drawer with the three modules, views, status line."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

from PseudoNormalLib.i18n import _
from trame.ui.vuetify3 import VAppLayout
from trame.widgets import client, html
from trame.widgets import vuetify3 as v3
from trame_server.utils.typed_state import TypedState

from PseudoNormalWeb.parts.comparison import ComparisonPart
from PseudoNormalWeb.parts.engine import EnginePart
from PseudoNormalWeb.parts.export import ExportPart
from PseudoNormalWeb.parts.files import FilesPart
from PseudoNormalWeb.parts.findings import FindingsPart
from PseudoNormalWeb.parts.generate import GeneratePart
from PseudoNormalWeb.parts.keys import Actions, KeysPart
from PseudoNormalWeb.parts.review.panel import ReviewPart
from PseudoNormalWeb.parts.scan import ScanPart
from PseudoNormalWeb.parts.training.panel import TrainingPart
from PseudoNormalWeb.window.layouts import Layouts
from PseudoNormalWeb.window.style import CSS, vuetify
from PseudoNormalWeb.window.views import Tiles

if TYPE_CHECKING:
    from PseudoNormalWeb.window.window import Window

THEME = "PseudoNormal/Web/Theme"
"""The setting that keeps whether the page is dark or light."""
TABS = {"scan": _("Scan"), "review": _("Review"), "training": _("Training")}


@dataclass
class PageState:
    """What of the page itself changes.

    :param tab: one of ``TABS``.
    """

    tab: str = "scan"
    dark: bool = True


class Page:
    """All that is seen of a window."""

    def __init__(self, window: Window) -> None:
        self._window = window
        server = window.server
        server.state.trame__title = "PseudoNormal"
        self._state = TypedState(server.state, PageState)
        self._state.data.dark = window.host.settings.get(THEME, "dark") != "light"
        self._tab, self._comparison = self._state.data.tab, window.bench.comparison
        self._tiles = Tiles(server, window.app, window.bench.comparison.fit_into)
        window.app.view_manager.register_factory(self._tiles)
        self._layouts = Layouts(server, window.app, self._tiles.fit_when_sized)
        generate = GeneratePart(window)
        self._engine = EnginePart(window)
        self._findings = FindingsPart(window, generate.press)
        self._review = ReviewPart(window)
        self._keys = KeysPart(window, self._actions)
        self._tabs: dict[str, list[Any]] = {
            "scan": [
                FilesPart(window),
                ScanPart(window),
                generate,
                self._findings,
                ComparisonPart(window),
                ExportPart(window),
            ],
            "review": [self._review],
            "training": [TrainingPart(window)],
        }
        self._state.bind_changes({self._state.name.dark: self._keep_theme, self._state.name.tab: self._turn})

    def build(self) -> None:
        """Make the page."""
        names = self._state.name
        with VAppLayout(
            self._window.server, vuetify_config=vuetify(), theme=(f"{names.dark} ? 'dark' : 'light'",)
        ) as layout:
            client.Style(CSS)
            with v3.VAppBar(height=44, flat=True, classes="pn-bar"):
                html.Div("PseudoNormal", classes="pn-title")
                v3.VSpacer()
                v3.VBtn(icon="mdi-keyboard-outline", click=self._keys.show, variant="text", title=_("Keys (?)"))
                v3.VBtn(
                    icon=(f"{names.dark} ? 'mdi-weather-sunny' : 'mdi-weather-night'",),
                    click=f"{names.dark} = !{names.dark}",
                    variant="text",
                    title=_("Light or dark"),
                )
            with v3.VNavigationDrawer(permanent=True, width=372, classes="pn-drawer"):
                with v3.VTabs(v_model=(names.tab,), density="compact", grow=True, classes="pn-tabs", color="primary"):
                    for tab, title in TABS.items():
                        v3.VTab(title, value=tab)
                for tab in TABS:
                    with html.Div(v_show=f"{names.tab} === '{tab}'"):
                        for part in self._tabs[tab]:
                            part.build()
            with v3.VFooter(app=True, classes="pn-status"):
                self._engine.build()
                v3.VSpacer()
                html.Span(_("Research software, not a medical device"), classes="pn-quiet")
            with v3.VMain(), html.Div(style="position: relative; height: 100%;"), html.Div(classes="pn-views"):
                self._layouts.build(layout)
            self._keys.build()
        self._layouts.follow()
        self._window.bench.comparison.refit()  # what was shown before there were views

    def close(self) -> None:
        """Follow nothing more."""
        for part in (*chain(*self._tabs.values()), self._engine, self._keys):
            part.close()
        self._layouts.close()
        self._tiles.close()

    def _actions(self) -> Actions:
        """What keys do in the tab that is open."""
        if self._state.data.tab == "review":
            return self._review.actions(self._keys.show)
        return {
            "help": self._keys.show,
            "next_finding": lambda: self._findings.step(1),
            "previous_finding": lambda: self._findings.step(-1),
            "flicker": self._window.bench.flicker.toggle,
        }

    def _turn(self, tab: str) -> None:
        before, self._tab = self._tab, tab
        if before == "training":  # two models side by side may have taken the views
            self._comparison.arrange(self._comparison.arrangement)
        if tab == "review":
            self._review.enter()

    def _keep_theme(self, dark: bool) -> None:
        self._window.host.settings.set(THEME, "dark" if dark else "light")
