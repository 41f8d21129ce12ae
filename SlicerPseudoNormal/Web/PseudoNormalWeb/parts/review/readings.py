"""The other revisions of the open case, and work of one's own that somebody has overtaken."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from PseudoNormalLib.i18n import _
from PseudoNormalLib.review.words import revision_cells, revision_titles
from trame.widgets import html
from trame_server.utils.typed_state import TypedState

from PseudoNormalWeb.parts.review.tables import table
from PseudoNormalWeb.window.forms import button, note, section

if TYPE_CHECKING:
    from PseudoNormalWeb.window.window import Window


@dataclass
class ReadingsState:
    """The revisions.

    :param rows: the cells of each, newest first.
    :param chosen: numbers of the rows that the buttons mean.
    :param stranded: whether there is work of one's own to be brought back.
    :param why: why a button cannot be pressed, by its name.
    """

    rows: list[list[str]] = field(default_factory=list)
    chosen: list[int] = field(default_factory=list)
    line: str = ""
    stranded: bool = False
    why: dict[str, str] = field(default_factory=dict)


class ReadingsBox:
    """Revisions, one a row; clicks choose one or more."""

    def __init__(self, window: Window) -> None:
        self._readings = window.review.readings
        self._state = TypedState(window.server.state, ReadingsState)
        self._signals = ((self._readings.listed, self._list), (self._readings.changed, self._show))
        for signal, listener in self._signals:
            signal.connect(listener)
        self._list()

    def build(self) -> None:
        """Make the widgets, inside the trame layout that is open."""
        name, readings = self._state.name, self._readings
        with section(_("Your earlier work"), v_show=(name.stranded,)):
            note(_("Somebody saved this case after you. What you did is kept on this computer."))
            self._button("take_over", _("Bring back my earlier work"), readings.take_over, wide=True)
        with section(_("Other readings"), collapsed=True):
            table(
                revision_titles(),
                name.rows,
                words=2,
                is_on=f"{name.chosen}.includes(index)",
                click=(self._toggle, "[index]"),
            )
            with html.Div(classes="pn-row"):
                self._button("show", _("Show"), readings.show)
                self._button("hide", _("Hide"), readings.hide)
                self._button("consensus", _("Consensus"), readings.agree)
            note(f"{{{{ {name.line} }}}}")

    def close(self) -> None:
        """Follow no more."""
        for signal, listener in self._signals:
            signal.disconnect(listener)

    def _button(self, key: str, text: str, pressed: object, **options: bool) -> None:
        tip = self._readings.offers()[key].tip
        button(text, pressed, tip=tip, reason=f"{self._state.name.why}.{key}", **options)

    def _toggle(self, row: int) -> None:
        readings = self._readings
        wanted = {revision.id for revision in readings.chosen} ^ {readings.revisions[row].id}
        readings.choose([revision for revision in readings.revisions if revision.id in wanted])

    def _list(self) -> None:
        self._state.data.rows = [revision_cells(revision) for revision in self._readings.revisions]
        self._show()

    def _show(self) -> None:
        data, readings = self._state.data, self._readings
        chosen = {revision.id for revision in readings.chosen}
        data.chosen = [row for row, revision in enumerate(readings.revisions) if revision.id in chosen]
        data.line, data.stranded = readings.line, readings.stranded
        data.why = {name: offer.reason for name, offer in readings.offers().items()}
