"""Generate: the button, how far it is, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PseudoNormalLib.engine.waiting import time_left
from PseudoNormalLib.i18n import _
from trame.widgets import html
from trame.widgets import vuetify3 as v3
from trame_server.utils.typed_state import TypedState

from PseudoNormalWeb.window.forms import button, note, section

if TYPE_CHECKING:
    from PseudoNormalLib.scene.case_nodes import CaseNodes

    from PseudoNormalWeb.window.window import Window

LOG_LINES = 200


@dataclass
class GenerateState:
    """How far it is.

    :param percent: done, while it runs.
    :param reason: why it cannot be begun now; empty when it can.
    :param failed: whether the message says what went wrong.
    :param log: what the engine said, the newest last.
    """

    running: bool = False
    cancelling: bool = False
    percent: float = 0.0
    message: str = ""
    reason: str = ""
    failed: bool = False
    log: str = ""


class GeneratePart:
    """Starts and follows the engine's work."""

    def __init__(self, window: Window) -> None:
        self._bench = bench = window.bench
        self._logic = bench.generate
        self._state = TypedState(window.server.state, GenerateState)
        self._lines: list[str] = []
        self._signals = (
            (self._logic.progress, self._progress),
            (self._logic.log, self._say),
            (self._logic.finished, self._finished),
            (self._logic.failed, self._failed),
            (self._logic.cancelled, self._cancelled),
            (bench.choices.changed, self._offer),
            (bench.connection.changed, self._offer),
        )
        for signal, listener in self._signals:
            signal.connect(listener)
        self._offer()

    def build(self) -> None:
        """Make the widgets, inside the trame layout that is open."""
        name = self._state.name
        with section(_("Generate")):
            tip = _("Find the lesions and show what the scan would look like without them")
            button(
                _("Generate the pseudo-normal"), self.press, tip=tip, reason=name.reason, wide=True, color="primary",
                variant="flat", size="default",
            )  # fmt: skip
            note(f"{{{{ {name.reason} }}}}", v_show=f"{name.reason} && !{name.running}")
            with html.Div(v_show=(name.running,), classes="pn-row"):
                v3.VProgressLinear(
                    model_value=(name.percent,), height=6, rounded=True, color="primary", style="flex: 1 1 auto;"
                )
                with html.Div(style="flex: 0 0 auto;"):
                    reason = f"{name.cancelling} ? '{_('It is being cancelled')}' : ''"
                    button(_("Cancel"), self._cancel, tip=_("End this; nothing in the scene changes"), reason=reason)
            note(f"{{{{ {name.message} }}}}", classes=(f"{name.failed} ? 'pn-note pn-error' : 'pn-note'",))
            with html.Details(v_show=(name.log,), classes="pn-note"):
                html.Summary(_("What the engine says about it"))
                html.Pre(f"{{{{ {name.log} }}}}", classes="pn-log")

    def close(self) -> None:
        """Follow no more; the part is not used again."""
        for signal, listener in self._signals:
            signal.disconnect(listener)

    def press(self) -> None:
        """Begin what is chosen."""
        self._lines = []
        data = self._state.data
        data.percent, data.log, data.failed, data.cancelling = 0.0, "", False, False
        data.message = _("The scan is sent to the engine…")
        try:
            self._bench.start()
        except ValueError as error:
            self._failed(str(error))
        self._offer()

    def _cancel(self) -> None:
        self._state.data.cancelling = True
        self._logic.cancel()

    def _progress(self, fraction: float, message: str, seconds_left: float | None) -> None:
        self._state.data.percent = round(100 * min(max(fraction, 0.0), 1.0), 1)
        self._state.data.message = " · ".join(part for part in (message, time_left(seconds_left)) if part)

    def _say(self, line: str) -> None:
        self._lines = [*self._lines[1 - LOG_LINES :], line]
        self._state.data.log = "\n".join(self._lines)

    def _finished(self, _case: CaseNodes) -> None:
        self._end(_("Done"))

    def _failed(self, line: str) -> None:
        self._state.data.failed = True
        self._end(line)

    def _cancelled(self) -> None:
        self._end(_("Cancelled; nothing in the scene was changed"))

    def _end(self, message: str) -> None:
        self._state.data.message = message
        self._offer()

    def _offer(self, *_news: Any) -> None:
        self._state.data.running = self._logic.running
        self._state.data.reason = self._bench.obstacle()
