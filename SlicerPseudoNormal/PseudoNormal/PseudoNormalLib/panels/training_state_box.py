"""How the followed training is: always in view, above everything that can be folded away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import qt

from PseudoNormalLib.engine.training_replies import TrainingStatus
from PseudoNormalLib.i18n import _
from PseudoNormalLib.panels.forms import allow, button, note, row
from PseudoNormalLib.panels.progress_box import STEPS, time_left
from PseudoNormalLib.training.bench import TrainingBench
from PseudoNormalLib.training.plan import settings_as_text
from PseudoNormalLib.training.versions import compared_in_words
from PseudoNormalLib.training.watch import metrics_in_words


class TrainingStateBox:
    """State, bar, time left, last numbers, and Stop and Resume.

    :ivar widget: the box.
    """

    def __init__(self, training: TrainingBench) -> None:
        self._training = training
        self._stopping = ""
        self.state = note()
        self.bar = qt.QProgressBar()
        self.bar.maximum = STEPS
        self.stop_button = button(_("Stop"), "", self._stop)
        self.resume_button = button(_("Resume"), "", lambda: self._resume({}))
        self.remedy_button = button("", "", self._resume_otherwise)
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
            (training.watch.silent, self.say),
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
        if training.over or training.state == "queued":
            self._stopping = ""
        self.bar.value = round(STEPS * training.progress)
        self.metrics.text = metrics_in_words(self._training.watch.lines)
        self.say(training.error or _outcome(training) or _warning(self._training.watch.lines))
        self._offer()

    def _offer(self) -> None:
        training = self._training.current
        self.state.text = state_in_words(training) if training is not None else _("There is no training yet.")
        self.metrics.visible = bool(self.metrics.text)
        none = _("There is no training yet") if training is None else ""
        over = training is not None and training.over
        ending = _("It is being stopped") if training is not None and self._stopping == training.id else ""
        allow(
            self.stop_button,
            _("Ends it within two seconds; what it learnt is saved, and it can be resumed"),
            none or (_("Nothing is under way") if over else ending),
        )
        open_ = training is not None and training.state in ("stopped", "failed")
        allow(
            self.resume_button,
            _("Goes on from what was saved last"),
            none or ("" if open_ else _("Only a training that was stopped or failed can go on")),
        )
        remedy = training.remedy if training is not None and training.state == "failed" else {}
        self.remedy_button.visible = bool(remedy)
        self.remedy_button.text = _("Resume with {settings}").format(settings=settings_as_text(remedy))

    def _stop(self) -> None:
        self._stopping = self._training.current.id
        self._offer()
        self._training.stop()

    def _resume(self, settings: dict[str, str]) -> None:
        self._training.resume(settings)

    def _resume_otherwise(self) -> None:
        self._resume(self._training.current.remedy)

    def _not_done(self, line: str) -> None:
        self._stopping = ""
        self.say(line)
        self._offer()


def state_in_words(training: TrainingStatus) -> str:
    """State, what it does, and how long it will take, in one line."""
    left = None if training.minutes_left is None else 60 * training.minutes_left
    parts = (
        training.recipe,
        in_words(training.state),
        training.message if training.state == "running" else "",
        time_left(left) if training.state == "running" else "",
    )
    return " · ".join(part for part in parts if part)


def in_words(state: str) -> str:
    """A training's state, as people say it."""
    words = {
        "queued": _("waiting"),
        "running": _("running"),
        "stopped": _("stopped, saved"),
        "done": _("done"),
        "failed": _("failed"),
    }
    return words.get(state, state)


def _warning(lines: Sequence[Mapping[str, Any]]) -> str:
    """The last thing that does not hinder the training, but should be known."""
    return next((str(line["warning"]) for line in reversed(lines) if "warning" in line), "")


def _outcome(training: TrainingStatus) -> str:
    candidate: Any = training.candidate
    if not candidate:
        return ""
    line = _("Version {version} of {name} was made from {parent}: {verdict}.")
    return line.format(
        version=candidate["version"],
        name=candidate["name"],
        parent=candidate["parent"],
        verdict=compared_in_words(candidate),
    )
