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

HEIGHT = 170  # px
LEAST_WIDTH = 300  # px


class TrainingCurvesBox:
    """What is minimised, how good it is on cases kept aside, and one of these cases.

    :ivar widget: the section.
    """

    def __init__(self, training: TrainingBench) -> None:
        self._training = training
        self._shown: bytes | None = None
        self.widget, form = section(_("Curves and example"))
        scene = training.host.scene
        self.losses_view = _plot_view(scene, training.curves.losses)
        self.checks_view = _plot_view(scene, training.curves.checks)
        self.example_note = note(_("A case before and after appears here once the training has drawn one."))
        self.example = qt.QLabel()
        for part in (self.losses_view, self.checks_view, self.example_note, self.example):
            form.addRow(part)
        training.watch.followed.connect(self._follow)
        self._show_example()

    def close(self) -> None:
        """Let go of the scene."""
        self._training.watch.followed.disconnect(self._follow)
        for view in (self.losses_view, self.checks_view):
            view.setMRMLScene(None)

    def _follow(self, _training: TrainingStatus) -> None:
        if self._training.watch.example != self._shown:
            self._show_example()

    def _show_example(self) -> None:
        self._shown = self._training.watch.example
        path = self._training.example_file
        picture = qt.QPixmap(str(path)) if path is not None else qt.QPixmap()
        known = not picture.isNull()
        if known:
            width = max(LEAST_WIDTH, self.losses_view.width)
            picture = picture.scaledToWidth(width, qt.Qt.SmoothTransformation)
        self.example.setPixmap(picture)
        self.example.visible = known
        self.example_note.visible = not known


def _plot_view(scene: Any, curves: Curves) -> Any:
    view = slicer.qMRMLPlotView()
    view.setMRMLScene(scene)
    view.setMRMLPlotViewNode(curves.view)
    view.setFixedHeight(HEIGHT)
    return view
