"""A training as curves, and as a case before and after."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from PseudoNormalLib.i18n import _
from PseudoNormalLib.training.curves import chart_titles, drawn_terms
from PseudoNormalLib.training.words import curves_note
from trame.widgets import client, html
from trame_server.utils.typed_state import TypedState

from PseudoNormalWeb.parts.training.chart import chart, legend
from PseudoNormalWeb.parts.training.picture import address_of
from PseudoNormalWeb.window.forms import note, section

if TYPE_CHECKING:
    from PseudoNormalWeb.window.window import Window

CSS = """
.pn-training { padding: 12px 14px; display: flex; flex-direction: column; gap: 9px;
  border-bottom: 1px solid rgba(128, 144, 160, .14); }
.pn-chart { width: 100%; height: auto; display: block; }
.pn-chart text { font-size: 10px; fill: currentColor; opacity: .65; font-variant-numeric: tabular-nums; }
.pn-chart .pn-grid { stroke: currentColor; opacity: .13; }
.pn-chart .pn-curve { fill: none; stroke-width: 1.6; stroke-linejoin: round; }
.pn-legend { display: flex; flex-wrap: wrap; gap: 2px 12px; font-size: 11px; margin-bottom: 6px; padding-left: 40px; }
.pn-legend i { display: inline-block; width: 10px; height: 3px; border-radius: 2px; margin-right: 5px;
  vertical-align: middle; }
.pn-example, .pn-sheet { width: 100%; display: block; border-radius: 4px; image-rendering: auto; }
.pn-all-words th, .pn-all-words td { text-align: left !important; }
.pn-link { color: rgb(var(--v-theme-primary)); overflow-wrap: anywhere; }
"""


@dataclass
class CurvesState:
    """What is drawn.

    :param charts: "title", "drawing" (SVG) and "legend" of each chart.
    :param example: a case before and after as the address of a picture; empty for none.
    :param no_charts: what to expect in their place.
    :param no_example: what to expect in its place.
    """

    charts: list[dict[str, Any]] = field(default_factory=list)
    example: str = ""
    no_charts: str = ""
    no_example: str = ""


class CurvesPart:
    """What is minimised, how good it is on cases kept aside, and one of these cases."""

    def __init__(self, window: Window) -> None:
        self._training = window.training
        self._watch = window.training.watch
        self._state = TypedState(window.server.state, CurvesState)
        self._drawn: tuple[int, str] = (0, "")
        self._shown: bytes | None = None
        self._signals = ((self._watch.followed, self._follow), (self._watch.changed, self._follow))
        for signal, listener in self._signals:
            signal.connect(listener)
        self._draw()

    def build(self) -> None:
        """Make the widgets, inside the trame layout that is open."""
        name = self._state.name
        client.Style(CSS)
        with section(_("Curves and example")):
            with html.Div(v_for=f"chart in {name.charts}", key="chart.title"):
                html.Div("{{ chart.title }}", classes="pn-note")
                html.Div(v_html="chart.drawing")
                with html.Div(classes="pn-legend"), html.Span(v_for="term in chart.legend", key="term.name"):
                    html.I(style=("{ background: term.colour }",))
                    html.Span("{{ term.name }} {{ term.last }}")
            note(f"{{{{ {name.no_charts} }}}}", v_show=f"!{name.charts}.length")
            note(f"{{{{ {name.no_example} }}}}", v_show=f"!{name.example}")
            html.Img(src=(name.example,), v_show=(name.example,), classes="pn-example")

    def close(self) -> None:
        """Follow no more; the part is not used again."""
        for signal, listener in self._signals:
            signal.disconnect(listener)

    def _follow(self, *_news: Any) -> None:
        followed = self._watch.current.id if self._watch.current is not None else ""
        drawn = (len(self._watch.lines), followed)
        if drawn != self._drawn:
            self._drawn = drawn
            self._draw()
        if self._training.example != self._shown:
            self._shown = self._training.example
            self._state.data.example = address_of(self._shown)

    def _draw(self) -> None:
        data, database = self._state.data, self._training.follows_database
        data.no_charts = "" if database else _("Losses and Dice appear here once a training runs.")
        data.no_example = curves_note(self._watch.current)
        charts = zip(chart_titles(), drawn_terms(self._watch.lines), strict=True)
        data.charts = [
            {"title": title, "drawing": drawing, "legend": legend(terms)}
            for title, terms in charts
            if (drawing := chart(terms))
        ]
