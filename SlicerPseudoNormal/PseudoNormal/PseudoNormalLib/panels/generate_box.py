"""Generate: the button, how far it is, and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PseudoNormalLib.generate import GenerateLogic
from PseudoNormalLib.i18n import _
from PseudoNormalLib.panels.forms import allow, button, note, section
from PseudoNormalLib.panels.progress_box import ProgressBox


class GenerateBox:
    """Starts and follows the engine's work.

    :param logic: does the work; any may start it.
    :param start: begins it; raises ValueError with one line when it cannot.
    :ivar widget: the section.
    """

    def __init__(self, logic: GenerateLogic, start: Callable[[], Any]) -> None:
        self._logic, self._start = logic, start
        self.widget, form = section(_("Generate"))
        self.generate_button = button(_("Generate the pseudo-normal"), "", self.press)
        self.progress = ProgressBox(logic.cancel)
        self.hint = note()
        form.addRow(self.generate_button)
        form.addRow(self.hint)
        form.addRow(self.progress.widget)
        self._signals = (
            (logic.progress, self.progress.show),
            (logic.log, self.progress.say),
            (logic.finished, self._finished),
            (logic.failed, self.progress.end),
            (logic.cancelled, self._cancelled),
        )
        for signal, listener in self._signals:
            signal.connect(listener)

    def offer(self, reason: str) -> None:
        """Let Generate be pressed, or say why it cannot be."""
        tip = _("Find the lesions and show what the scan would look like without them")
        allow(self.generate_button, tip, reason)
        self.hint.text = reason
        self.hint.visible = bool(reason) and not self._logic.running

    def press(self) -> None:
        """Begin."""
        self.progress.begin(_("The scan is sent to the engine…"))
        try:
            self._start()
        except ValueError as error:
            self.progress.end(str(error))

    def close(self) -> None:
        """Follow no more."""
        for signal, listener in self._signals:
            signal.disconnect(listener)

    def _finished(self, _case: Any) -> None:
        self.progress.end(_("Done"), done=True)

    def _cancelled(self) -> None:
        self.progress.end(_("Cancelled; nothing in the scene was changed"))
