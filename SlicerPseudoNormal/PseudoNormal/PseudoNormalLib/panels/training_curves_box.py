"""A training as curves, and as a case before and after."""

from __future__ import annotations

from typing import Any

import slicer

from PseudoNormalLib.engine.training_replies import TrainingStatus
from PseudoNormalLib.i18n import _
from PseudoNormalLib.panels.fitted_picture import FittedPicture
from PseudoNormalLib.panels.forms import note, section
from PseudoNormalLib.training.bench import TrainingBench
from PseudoNormalLib.training.curves import Curves
from PseudoNormalLib.training.words import curves_note

HEIGHT = 140  # px


class TrainingCurvesBox:
    """What is minimised, how good it is on cases kept aside, and one of these cases.

    :ivar widget: the section.
    """

    def __init__(self, training: TrainingBench) -> None:
        self._training = training
        self._shown: bytes | None = None
        self.widget, form = section(_("Curves and example"))
        charts = (training.curves.losses, training.curves.dice, training.curves.psnr)
        self.views = [_plot_view(training.host.scene, chart) for chart in charts]
        self.example_note = note()
        self.example = FittedPicture(self.views[0])
        for part in (*self.views, self.example_note, self.example.widget):
            form.addRow(part)
        training.watch.followed.connect(self._follow)
        self._follow(training.current)

    def close(self) -> None:
        """Let go of the scene."""
        self._training.watch.followed.disconnect(self._follow)
        for view in self.views:
            view.setMRMLScene(None)

    def _follow(self, training: TrainingStatus | None) -> None:
        if self._training.example != self._shown:
            self._shown = self._training.example
            self.example.show(self._training.file_of(self._shown))
        self.example.fit()
        self.example_note.text = curves_note(training)
        self.example_note.visible = not self.example.shown
        for view in self.views:
            view.visible = not self._training.follows_database


def _plot_view(scene: Any, curves: Curves) -> Any:
    view = slicer.qMRMLPlotView()
    view.setMRMLScene(scene)
    view.setMRMLPlotViewNode(curves.view)
    view.setFixedHeight(HEIGHT)
    return view
