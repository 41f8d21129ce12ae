"""Progress of something long: bar, message with the time left, Cancel, and the log."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt

from PseudoNormalLib.engine.waiting import time_left
from PseudoNormalLib.i18n import _
from PseudoNormalLib.panels.forms import allow, button, note, row

LOG_LINES = 1000
LOG_HEIGHT = 110  # px
STEPS = 1000


def log_view(hint: str) -> Any:
    """A text that grows at its end and forgets its beginning.

    :param hint: shown while it is empty.
    """
    log = qt.QPlainTextEdit()
    log.readOnly = True
    log.maximumBlockCount = LOG_LINES
    log.setFixedHeight(LOG_HEIGHT)
    log.placeholderText = hint
    return log


class ProgressBox:
    """Shows how far something is; idle until :meth:`begin`.

    :param cancel: called when Cancel is pressed.
    :ivar widget: the box.
    """

    def __init__(self, cancel: Callable[[], Any]) -> None:
        self.bar = qt.QProgressBar()
        self.bar.maximum = STEPS
        self.bar.value = 0
        self.cancel_button = button(_("Cancel"), "", self._cancel)
        self.message = note()
        self.log = log_view(_("What the engine says about it appears here."))
        self.widget = qt.QWidget()
        layout = qt.QVBoxLayout(self.widget)
        layout.setContentsMargins(0, 0, 0, 0)
        for part in (row(self.bar, self.cancel_button), self.message, self.log):
            layout.addWidget(part)
        self._tell_cancel = cancel
        self.end("")

    def begin(self, message: str) -> None:
        """Something has begun."""
        self.bar.value = 0
        self.message.text = message
        self.log.clear()
        allow(self.cancel_button, _("End this; nothing in the scene changes"))

    def show(self, fraction: float, message: str, seconds_left: float | None = None) -> None:
        """How far it is.

        :param fraction: 0 to 1.
        """
        self.bar.value = round(STEPS * min(max(fraction, 0.0), 1.0))
        self.message.text = " · ".join(part for part in (message, time_left(seconds_left)) if part)

    def say(self, line: str) -> None:
        """One more line of the log."""
        self.log.appendPlainText(line)

    def end(self, message: str, *, done: bool = False) -> None:
        """It has ended: well, or not."""
        self.bar.value = STEPS if done else 0
        self.message.text = message
        allow(self.cancel_button, "", _("Nothing is running"))

    def _cancel(self) -> None:
        allow(self.cancel_button, "", _("It is being cancelled"))
        self._tell_cancel()
