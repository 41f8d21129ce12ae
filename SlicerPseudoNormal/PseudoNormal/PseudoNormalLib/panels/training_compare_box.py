"""Two models side by side on a scan."""

from __future__ import annotations

from typing import Any

import qt

from PseudoNormalLib.i18n import _
from PseudoNormalLib.panels.forms import allow, button, node_selector, note, section
from PseudoNormalLib.panels.progress_box import ProgressBox
from PseudoNormalLib.training.bench import TrainingBench
from PseudoNormalLib.training.comparing import (
    Outcome,
    comparable_models,
    compare_obstacle,
    first_pair,
    outcome_in_words,
)


class TrainingCompareBox:
    """Chooses a scan and two models, and compares them.

    :ivar widget: the section.
    """

    def __init__(self, training: TrainingBench) -> None:
        self._training, self._comparing = training, training.comparing
        self.widget, form = section(_("Compare two models on a scan"), collapsed=True)
        self.image_selector = node_selector("vtkMRMLScalarVolumeNode", _("Choose a scan"))
        self.lesions_selector = node_selector("vtkMRMLSegmentationNode", _("Each finds the lesions itself"))
        self.model_combos = {"A": qt.QComboBox(), "B": qt.QComboBox()}
        self.start_button = button(_("Compare"), "", self._start)
        self.progress = ProgressBox(training.comparing.cancel)
        self.outcome = note()
        form.addRow(_("Scan:"), self.image_selector)
        form.addRow(_("Lesion mask:"), self.lesions_selector)
        form.addRow(_("Model A:"), self.model_combos["A"])
        form.addRow(_("Model B:"), self.model_combos["B"])
        for part in (self.start_button, self.progress.widget, self.outcome):
            form.addRow(part)
        for selector in (self.image_selector, self.lesions_selector):
            selector.setMRMLScene(training.host.scene)
        self.image_selector.connect("currentNodeChanged(vtkMRMLNode*)", self._offer)
        for combo in self.model_combos.values():
            combo.connect("currentIndexChanged(int)", self._offer)
        self._signals = (
            (training.offered, self._show_models),
            (training.versions.changed, self._show_models),
            (training.comparing.progress, self.progress.show),
            (training.comparing.finished, self._finished),
            (training.comparing.failed, self._ended),
            (training.comparing.cancelled, self._cancelled),
        )
        for signal, listener in self._signals:
            signal.connect(listener)
        self._show_models()

    def close(self) -> None:
        """Let go of the scene."""
        for signal, listener in self._signals:
            signal.disconnect(listener)
        for selector in (self.image_selector, self.lesions_selector):
            selector.setMRMLScene(None)

    def _show_models(self) -> None:
        """Offer every version, and models that have none; at first the current one and the last."""
        names = comparable_models(self._training)
        for combo, first in zip(self.model_combos.values(), first_pair(self._training), strict=True):
            chosen = combo.currentData if combo.currentData in names else first
            combo.blockSignals(True)
            combo.clear()
            for model in names:
                combo.addItem(model, model)
            combo.setCurrentIndex(max(0, combo.findData(chosen)) if names else -1)
            combo.blockSignals(False)
        self._offer()

    def _offer(self, *_news: Any) -> None:
        tip = _("Generate with both, and show them side by side with their differences")
        allow(self.start_button, tip, compare_obstacle(self._training, self.image_selector.currentNode(), self._chosen))

    @property
    def _chosen(self) -> tuple[str, str]:
        return self.model_combos["A"].currentData or "", self.model_combos["B"].currentData or ""

    def _start(self) -> None:
        self.outcome.text = ""
        self.progress.begin(_("Beginning…"))
        try:
            self._comparing.start(self.image_selector.currentNode(), self._chosen, self.lesions_selector.currentNode())
        except ValueError as error:
            self.progress.end(str(error))
        self._offer()

    def _finished(self, a: Outcome, b: Outcome) -> None:
        self.progress.end(_("Done"), done=True)
        self.outcome.text = "\n".join([outcome_in_words("A", a), outcome_in_words("B", b)])
        self._offer()

    def _ended(self, line: str) -> None:
        self.progress.end(line)
        self._offer()

    def _cancelled(self) -> None:
        self._ended(_("Cancelled"))
