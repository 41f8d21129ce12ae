"""How the followed training is: always in view, above everything that can be folded away."""

from __future__ import annotations

import qt

from PseudoNormalLib.engine.training_replies import TrainingStatus
from PseudoNormalLib.i18n import _
from PseudoNormalLib.panels.forms import allow, button, note, row
from PseudoNormalLib.panels.progress_box import STEPS
from PseudoNormalLib.training.bench import TrainingBench
from PseudoNormalLib.training.plan import settings_as_text
from PseudoNormalLib.training.watch import metrics_in_words
from PseudoNormalLib.training.words import news_in_words, state_in_words, stop_tip


class TrainingStateBox:
    """State, bar, time left, last numbers, and Stop and Resume.

    :ivar widget: the box.
    """

    def __init__(self, training: TrainingBench) -> None:
        self._training = training
        self.state = note()
        self.bar = qt.QProgressBar()
        self.bar.maximum = STEPS
        self.stop_button = button(_("Stop"), "", training.stop)
        self.resume_button = button(_("Resume"), "", lambda: training.resume({}))
        self.remedy_button = button("", "", lambda: training.resume(training.current.remedy))
        self.metrics = note()
        self.message = note()
        self.widget = qt.QGroupBox(_("Training"))
        layout = qt.QVBoxLayout(self.widget)
        buttons = row(self.bar, self.stop_button, self.resume_button)
        for part in (self.state, buttons, self.metrics, self.message, self.remedy_button):
            layout.addWidget(part)
        self._signals = (
            (training.watch.followed, self._show),
            (training.watch.changed, self._offer),
            (training.stopping, self._offer),
            (training.watch.silent, self.say),
            (training.watch.answered, lambda: self.say("")),
            (training.failed, self._not_done),
        )
        for signal, listener in self._signals:
            signal.connect(listener)
        self.say("")
        self._offer()

    def say(self, line: str) -> None:
        """Something that should be known, in one line."""
        self.message.text = line
        self.message.visible = bool(line)

    def close(self) -> None:
        """Follow no more."""
        for signal, listener in self._signals:
            signal.disconnect(listener)

    def _show(self, training: TrainingStatus) -> None:
        self.bar.value = round(STEPS * training.progress)
        self.metrics.text = metrics_in_words(self._training.watch.lines)
        self.say(news_in_words(training, self._training.watch.lines))
        self._offer()

    def _offer(self) -> None:
        training = self._training.current
        self.state.text = state_in_words(training)
        self.metrics.visible = bool(self.metrics.text)
        allow(self.stop_button, stop_tip(), self._training.stop_obstacle())
        allow(self.resume_button, _("Goes on from what was saved last"), self._training.resume_obstacle())
        remedy = training.remedy if training is not None and training.state == "failed" else {}
        self.remedy_button.visible = bool(remedy)
        self.remedy_button.text = _("Resume with {settings}").format(settings=settings_as_text(remedy))

    def _not_done(self, line: str) -> None:
        self.say(line)
        self._offer()
