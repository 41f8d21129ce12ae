"""A training as curves, and as a case before and after."""

from __future__ import annotations

from typing import Any

import qt
import slicer

from PseudoNormalLib.engine.training_replies import TrainingStatus
from PseudoNormalLib.i18n import _
from PseudoNormalLib.panels.forms import note, section
from PseudoNormalLib.training.bench import TrainingBench
from PseudoNormalLib.training.curves import Curves

HEIGHT = 140  # px
LEAST_WIDTH = 300  # px


class TrainingCurvesBox:
    """What is minimised, how good it is on cases kept aside, and one of these cases.

    :ivar widget: the section.
    """

    def __init__(self, training: TrainingBench) -> None:
        self._training = training
        self._shown: bytes | None = None
        self._picture, self._width = qt.QPixmap(), 0
        self.widget, form = section(_("Curves and example"))
        charts = (training.curves.losses, training.curves.dice, training.curves.psnr)
        self.views = [_plot_view(training.host.scene, chart) for chart in charts]
        self.example_note = note(_("A case before and after appears here once the training has drawn one."))
        self.example = qt.QLabel()
        self.example.setMinimumWidth(1)  # a picture must not keep the panel from being made narrower
        for part in (*self.views, self.example_note, self.example):
            form.addRow(part)
        training.watch.followed.connect(self._follow)
        self._look()
        self.fit()

    def close(self) -> None:
        """Let go of the scene."""
        self._training.watch.followed.disconnect(self._follow)
        for view in self.views:
            view.setMRMLScene(None)

    def fit(self) -> None:
        """Show the example as wide as the box is now."""
        width = max(LEAST_WIDTH, self.views[0].width)
        known = not self._picture.isNull()
        if known and width != self._width:
            self._width = width
            self.example.setPixmap(self._picture.scaledToWidth(width, qt.Qt.SmoothTransformation))
        self.example.visible = known
        self.example_note.visible = not known

    def _follow(self, _training: TrainingStatus) -> None:
        if self._training.watch.example != self._shown:
            self._look()
        self.fit()

    def _look(self) -> None:
        self._shown, self._width = self._training.watch.example, 0
        path = self._training.example_file
        self._picture = qt.QPixmap(str(path)) if path is not None else qt.QPixmap()


def _plot_view(scene: Any, curves: Curves) -> Any:
    view = slicer.qMRMLPlotView()
    view.setMRMLScene(scene)
    view.setMRMLPlotViewNode(curves.view)
    view.setFixedHeight(HEIGHT)
    return view
