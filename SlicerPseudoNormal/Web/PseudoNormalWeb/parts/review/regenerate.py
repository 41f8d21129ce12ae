"""The pseudo-normal of the open case once more, for the mask as it is now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PseudoNormalLib.i18n import _
from trame.widgets import html
from trame.widgets import vuetify3 as v3
from trame_server.utils.typed_state import TypedState

from PseudoNormalWeb.window.forms import button, note, section

if TYPE_CHECKING:
    from PseudoNormalWeb.window.window import Window


@dataclass
class RegenerateState:
    """How far it is.

    :param percent: done, while it runs.
    :param reason: why it cannot be begun now; empty when it can.
    """

    running: bool = False
    percent: float = 0.0
    line: str = ""
    reason: str = ""


class RegenerateBox:
    """Starts and follows it; the one box that needs a model."""

    def __init__(self, window: Window) -> None:
        self._review = review = window.review
        self._state = TypedState(window.server.state, RegenerateState)
        self._signals = (
            (review.generate.progress, self._progress),
            (review.generate.finished, self._finished),
            (review.generate.failed, self._end),
            (review.generate.cancelled, self._cancelled),
            (review.desk.opened, self._offer),
            (review.desk.closing, self._offer),
        )
        for signal, listener in self._signals:
            signal.connect(listener)
        self._offer()

    def build(self) -> None:
        """Make the widgets, inside the trame layout that is open."""
        name = self._state.name
        with section(_("Pseudo-normal"), collapsed=True):
            tip = self._review.regeneration.offer(None).tip
            button(_("Regenerate for this mask"), self._start, tip=tip, reason=name.reason, wide=True)
            with html.Div(v_show=(name.running,), classes="pn-row"):
                v3.VProgressLinear(model_value=(name.percent,), height=6, rounded=True, color="primary")
                with html.Div(style="flex: 0 0 auto;"):
                    button(_("Cancel"), self._review.generate.cancel, tip=_("End this; nothing in the scene changes"))
            note(f"{{{{ {name.line} }}}}")

    def close(self) -> None:
        """Follow no more."""
        for signal, listener in self._signals:
            signal.disconnect(listener)

    def _start(self) -> None:
        self._state.data.percent = 0.0
        self._state.data.line = _("The scan is sent to the engine…")
        try:
            self._review.regeneration.start(self._review.session)
        except ValueError as error:
            self._state.data.line = str(error)
        self._offer()

    def _progress(self, fraction: float, message: str, _seconds_left: float | None) -> None:
        self._state.data.percent = round(100 * min(max(fraction, 0.0), 1.0), 1)
        self._state.data.line = message

    def _finished(self, _case: Any) -> None:
        self._end(_("Done"))

    def _cancelled(self) -> None:
        self._end(_("Cancelled; nothing was changed"))

    def _end(self, line: str) -> None:
        self._state.data.line = line
        self._offer()

    def _offer(self, *_session: Any) -> None:
        self._state.data.running = self._review.generate.running
        self._state.data.reason = self._review.regeneration.offer(self._review.session).reason
