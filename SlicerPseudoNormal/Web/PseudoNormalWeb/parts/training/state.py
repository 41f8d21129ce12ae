"""How the followed training is: always in view, above everything that can be folded away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PseudoNormalLib.i18n import _
from PseudoNormalLib.training.plan import settings_as_text
from PseudoNormalLib.training.watch import metrics_in_words
from PseudoNormalLib.training.words import news_in_words, state_in_words, stop_tip
from trame.widgets import html
from trame.widgets import vuetify3 as v3
from trame_server.utils.typed_state import TypedState

from PseudoNormalWeb.window.forms import button, note

if TYPE_CHECKING:
    from PseudoNormalLib.engine.training_replies import TrainingStatus

    from PseudoNormalWeb.window.window import Window


@dataclass
class TrainingState:
    """How the followed training is.

    :param percent: done.
    :param no_stop: why it cannot be stopped now; empty when it can.
    :param no_resume: why it cannot go on now; empty when it can.
    :param remedy: the settings with which it could go on; empty for none.
    :param failed: whether the message says what went wrong.
    """

    line: str = ""
    percent: float = 0.0
    metrics: str = ""
    message: str = ""
    failed: bool = False
    no_stop: str = ""
    no_resume: str = ""
    remedy: str = ""


class StatePart:
    """State, bar, time left, last numbers, and Stop and Resume."""

    def __init__(self, window: Window) -> None:
        self._training = training = window.training
        self._state = TypedState(window.server.state, TrainingState)
        self._signals = (
            (training.watch.followed, self._show),
            (training.watch.changed, self._offer),
            (training.stopping, self._offer),
            (training.watch.silent, self._fail),
            (training.watch.answered, self._hear),
            (training.failed, self._not_done),
        )
        for signal, listener in self._signals:
            signal.connect(listener)
        self._offer()

    def build(self) -> None:
        """Make the widgets, inside the trame layout that is open."""
        name = self._state.name
        with html.Div(classes="pn-training"):
            html.Div(f"{{{{ {name.line} }}}}", style="font-weight: 600;")
            v3.VProgressLinear(model_value=(name.percent,), height=6, rounded=True, color="primary")
            with html.Div(classes="pn-row"):
                button(_("Stop"), self._training.stop, tip=stop_tip(), reason=name.no_stop)
                button(
                    _("Resume"),
                    lambda: self._training.resume({}),
                    tip=_("Goes on from what was saved last"),
                    reason=name.no_resume,
                )
            note(f"{{{{ {name.metrics} }}}}", style="font-variant-numeric: tabular-nums;")
            note(f"{{{{ {name.message} }}}}", classes=(f"{name.failed} ? 'pn-note pn-error' : 'pn-note'",))
            with html.Div(v_show=(name.remedy,)):
                button(f"{{{{ {name.remedy} }}}}", self._resume_otherwise, wide=True)

    def close(self) -> None:
        """Follow no more; the part is not used again."""
        for signal, listener in self._signals:
            signal.disconnect(listener)

    def _show(self, training: TrainingStatus) -> None:
        lines = self._training.watch.lines
        data = self._state.data
        data.percent = round(100 * training.progress, 1)
        data.metrics = metrics_in_words(lines)
        data.message, data.failed = news_in_words(training, lines), bool(training.error)
        self._offer()

    def _offer(self, *_news: Any) -> None:
        training, data = self._training.current, self._state.data
        data.line = state_in_words(training)
        data.no_stop, data.no_resume = self._training.stop_obstacle(), self._training.resume_obstacle()
        remedy = training.remedy if training is not None and training.state == "failed" else {}
        data.remedy = _("Resume with {settings}").format(settings=settings_as_text(remedy)) if remedy else ""

    def _resume_otherwise(self) -> None:
        training = self._training.current
        if training is not None:
            self._training.resume(training.remedy)

    def _fail(self, line: str) -> None:
        self._state.data.message, self._state.data.failed = line, True

    def _hear(self) -> None:
        self._state.data.message, self._state.data.failed = "", False

    def _not_done(self, line: str) -> None:
        self._fail(line)
        self._offer()
