"""The pseudo-normal of the open case once more, for the mask as it is now."""

from __future__ import annotations

from typing import Any

from PseudoNormalLib.i18n import _
from PseudoNormalLib.panels.forms import button, follow, section
from PseudoNormalLib.panels.progress_box import ProgressBox
from PseudoNormalLib.review.bench import ReviewBench


class RegenerateBox:
    """Starts and follows it; the one box that needs a model.

    :ivar widget: the section.
    """

    def __init__(self, review: ReviewBench) -> None:
        self._review = review
        self.widget, form = section(_("Pseudo-normal"), collapsed=True)
        self.start_button = button(_("Regenerate for this mask"), "", self._start)
        self.progress = ProgressBox(review.generate.cancel)
        form.addRow(self.start_button)
        form.addRow(self.progress.widget)
        self._signals = (
            (review.generate.progress, self.progress.show),
            (review.generate.log, self.progress.say),
            (review.generate.finished, self._finished),
            (review.generate.failed, self._failed),
            (review.generate.cancelled, self._cancelled),
        )
        for signal, listener in self._signals:
            signal.connect(listener)
        self.offer()

    def offer(self) -> None:
        """Let the button be pressed, or say why it cannot be."""
        follow(self.start_button, self._review.regeneration.offer(self._review.session))

    def close(self) -> None:
        """Follow no more."""
        for signal, listener in self._signals:
            signal.disconnect(listener)

    def _start(self) -> None:
        self.progress.begin(_("The scan is sent to the engine…"))
        try:
            self._review.regeneration.start(self._review.session)
        except ValueError as error:
            self.progress.end(str(error))
        self.offer()

    def _finished(self, _case: Any) -> None:
        self.progress.end(_("Done"), done=True)
        self.offer()

    def _failed(self, line: str) -> None:
        self.progress.end(line)
        self.offer()

    def _cancelled(self) -> None:
        self._failed(_("Cancelled; nothing was changed"))
