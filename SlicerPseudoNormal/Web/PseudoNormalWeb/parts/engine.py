"""Which engine works, and how it fares: one line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PseudoNormalLib.engine.news import status_in_words
from PseudoNormalLib.i18n import _
from trame.widgets import html
from trame_server.utils.typed_state import TypedState

if TYPE_CHECKING:
    from PseudoNormalWeb.window.window import Window

EVERY_S = 2.0


@dataclass
class EngineState:
    """The line, and whether it is good news.

    :param colour: of Vuetify's theme.
    """

    line: str = ""
    colour: str = "secondary"


class EnginePart:
    """Asks the engine again and again how it is."""

    def __init__(self, window: Window) -> None:
        self._news = window.bench.news
        self._state = TypedState(window.server.state, EngineState)
        self._state.data.line = _("The engine is asked…")
        self._news.told.connect(self._told)
        self._news.silent.connect(self._silent)
        self._stop = self._news.ask_every(EVERY_S, window.host.tick)
        self._news.ask()

    def build(self) -> None:
        """Make the widgets, inside the trame layout that is open."""
        name = self._state.name
        with html.Div(classes="pn-engine"):
            html.Span(classes=(f"'pn-dot bg-' + {name.colour}",))
            html.Span(f"{{{{ {name.line} }}}}")

    def close(self) -> None:
        """Ask no more; the part is not used again."""
        self._stop()
        self._news.told.disconnect(self._told)
        self._news.silent.disconnect(self._silent)

    def _told(self) -> None:
        status = self._news.status
        words = {
            "starting": _("the model is being loaded"),
            "restarting": _("the model is being loaded"),
            "busy": _("works"),
            "ready": _("ready"),
        }
        self._state.data.line = f"{status_in_words(status)} · {words.get(status.worker, status.worker)}"
        self._state.data.colour = {"ready": "success", "busy": "primary"}.get(status.worker, "warning")

    def _silent(self, line: str) -> None:
        self._state.data.line = line
        self._state.data.colour = "error"
