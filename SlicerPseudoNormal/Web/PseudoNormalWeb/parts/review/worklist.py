"""The list of cases: filter it, take the next one, or one of your own choice."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from PseudoNormalLib.i18n import _
from PseudoNormalLib.review.words import case_cells, case_titles, in_words
from PseudoNormalLib.review.worklist import STATUSES, Filter
from trame.widgets import html
from trame.widgets import vuetify3 as v3
from trame_server.utils.typed_state import TypedState

from PseudoNormalWeb.parts.review.tables import table
from PseudoNormalWeb.window.forms import button, note, section

if TYPE_CHECKING:
    from PseudoNormalWeb.window.window import Window

SOMETIMES = 5, 6
"""Columns that most worklists have nothing in: contrast, and with whom a case is. All seven are too wide."""


@dataclass
class WorklistState:
    """What is listed.

    :param status: which cases are listed; empty for all.
    :param rows: the cells of each case.
    :param chosen: id of the case that the buttons mean.
    :param why: why a button cannot be pressed, by its name.
    """

    status: str = ""
    text: str = ""
    rows: list[list[str]] = field(default_factory=list)
    chosen: str = ""
    line: str = ""
    why: dict[str, str] = field(default_factory=dict)


class WorklistBox:
    """Cases, one a row."""

    def __init__(self, window: Window) -> None:
        review = window.review
        self._taking, self._worklist = review.taking, review.worklist
        self._state = TypedState(window.server.state, WorklistState)
        self._state.bind_changes({(self._state.name.status, self._state.name.text): self._filter})
        self._signals = ((self._worklist.changed, self._show), (self._taking.changed, self._offer))
        for signal, listener in self._signals:
            signal.connect(listener)
        self._show()
        self._offer()

    def build(self) -> None:
        """Make the widgets, inside the trame layout that is open."""
        name, tips = self._state.name, self._taking.offers()
        statuses = [{"title": _("All"), "value": ""}, *({"title": in_words(s), "value": s} for s in STATUSES)]
        with section(_("Cases")):
            with html.Div(classes="pn-row"):
                v3.VSelect(v_model=(name.status,), items=(statuses,), label=_("Status"))
                v3.VTextField(v_model=(name.text,), label=_("Name or contrast"))
            table(
                case_titles(),
                name.rows,
                words=0,
                sometimes=SOMETIMES,
                is_on=f"row[0] === {name.chosen}",
                click=(self._taking.choose, "[row[0]]"),
                dblclick=(self._open, "[row[0]]"),
            )
            with html.Div(classes="pn-row"):
                for key, text, pressed in (
                    ("next", _("Next case"), self._taking.open_next),
                    ("open", _("Open"), self._taking.open_chosen),
                    ("away", _("Put away"), self._taking.put_away),
                    ("refresh", _("Refresh"), self._worklist.refresh),
                ):
                    options = {"color": "primary", "variant": "flat"} if key == "next" else {}
                    button(text, pressed, tip=tips[key].tip, reason=f"{name.why}.{key}", **options)
            note(f"{{{{ {name.line} }}}}")

    def close(self) -> None:
        """Follow no more."""
        for signal, listener in self._signals:
            signal.disconnect(listener)

    def _filter(self, status: str, text: str) -> None:
        wanted = Filter(status or None, (text or "").strip())
        if wanted != self._worklist.filter:
            self._worklist.show(wanted)

    def _open(self, case: str) -> None:
        self._taking.choose(case)
        self._taking.open_chosen()

    def _show(self) -> None:
        self._state.data.rows = [case_cells(case) for case in self._worklist.cases]

    def _offer(self, *_news: Any) -> None:
        data = self._state.data
        data.chosen, data.line = self._taking.chosen or "", self._taking.line
        data.why = {name: offer.reason for name, offer in self._taking.offers().items()}
