"""The findings of the open case, what is said about each, and the brush that follows the difference map."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from PseudoNormalLib.i18n import _
from PseudoNormalLib.review.bench import GREATEST_THRESHOLD
from PseudoNormalLib.review.words import finding_titles
from trame.widgets import html
from trame.widgets import vuetify3 as v3
from trame_server.utils.typed_state import TypedState

from PseudoNormalWeb.parts.review.tables import table
from PseudoNormalWeb.window.forms import button, note, section

if TYPE_CHECKING:
    from PseudoNormalWeb.window.window import Window


@dataclass
class DecisionsState:
    """The findings.

    :param rows: the cells of each.
    :param current: number of the one that is shown, from 1; 0 for none.
    :param threshold: of the brush that follows the difference map, robust z.
    :param why: why a button cannot be pressed, by its name.
    """

    summary: str = ""
    rows: list[list[str]] = field(default_factory=list)
    current: int = 0
    threshold: float = 0.0
    why: dict[str, str] = field(default_factory=dict)


class DecisionsBox:
    """Findings, one a row, with buttons for the current one."""

    def __init__(self, window: Window) -> None:
        self._review = review = window.review
        self._deciding = review.deciding
        self._state = TypedState(window.server.state, DecisionsState)
        self._state.bind_changes({self._state.name.threshold: lambda value: review.set_brush(threshold=float(value))})
        self._signals = ((self._deciding.changed, self._show), (review.brush_changed, self._follow_brush))
        for signal, listener in self._signals:
            signal.connect(listener)
        self._follow_brush()
        self._show()

    def build(self) -> None:
        """Make the widgets, inside the trame layout that is open."""
        name, do = self._state.name, self._deciding.do
        with section(_("Findings"), name="decisions"):
            note(f"{{{{ {name.summary} }}}}")
            table(
                finding_titles(),
                name.rows,
                words=1,
                is_on=f"index + 1 === {name.current}",
                click=(self._deciding.go_to, "[index + 1]"),
            )
            with html.Div(classes="pn-row"):
                self._button("previous", _("Previous (P)"), lambda: do("previous"))
                self._button("next", _("Next (N)"), lambda: do("next"))
            with html.Div(classes="pn-row"):
                self._button("accept", _("Accept (A)"), lambda: do("accept"), color="success")
                self._button("reject", _("Reject (X)"), lambda: do("reject"), color="error")
                self._button("keep", _("Keep (K)"), lambda: do("keep"))
            with html.Div(classes="pn-slide"):
                html.Span(_("Threshold, z"))
                v3.VSlider(v_model=(name.threshold,), min=0, max=GREATEST_THRESHOLD, step=0.1)
                html.Span(f"{{{{ {name.threshold}.toFixed(1) }}}}", classes="pn-value")
            with html.Div(classes="pn-row"):
                self._button("grow", _("Grow (G)"), self._review.grow)
                self._button("shrink", _("Shrink (H)"), self._review.shrink)

    def close(self) -> None:
        """Follow no more."""
        for signal, listener in self._signals:
            signal.disconnect(listener)

    def _button(self, key: str, text: str, pressed: object, **options: str) -> None:
        tip = self._deciding.offers()[key].tip
        button(text, pressed, tip=tip, reason=f"{self._state.name.why}.{key}", **options)

    def _show(self) -> None:
        data, deciding = self._state.data, self._deciding
        data.summary, data.rows, data.current = deciding.summary(), deciding.rows(), deciding.current
        data.why = {name: offer.reason for name, offer in deciding.offers().items()}

    def _follow_brush(self) -> None:
        self._state.data.threshold = self._review.threshold
