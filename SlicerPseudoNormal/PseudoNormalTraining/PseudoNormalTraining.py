"""The module PseudoNormalTraining: retrain a model from the case store, watch it, compare it, promote it.

A shell: what it does is in ``PseudoNormalLib``, which lies in the module PseudoNormal.
"""

from __future__ import annotations

from typing import Any

import slicer
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)


class PseudoNormalTraining(ScriptedLoadableModule):
    """What Slicer shows of the module in its menus."""

    def __init__(self, parent: Any) -> None:
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = _("PseudoNormal Training")
        self.parent.categories = [translate("qSlicerAbstractCoreModule", "Image Synthesis")]
        self.parent.dependencies = ["PseudoNormal", "Plots", "Segmentations", "Volumes"]
        self.parent.contributors = ["The PseudoNormal contributors"]
        self.parent.helpText = _(
            "Lets the engine learn from the cases that were reviewed: start, watch, stop and resume a training, look "
            "at a case before and after, compare two models, promote the better one or go back. Research software, "
            "not a medical device."
        )
        self.parent.acknowledgementText = _("Apache License 2.0. The card of each model names the data behind it.")


class PseudoNormalTrainingWidget(ScriptedLoadableModuleWidget):
    """Shows the panel while the module is open."""

    def setup(self) -> None:
        """Slicer opens the module for the first time."""
        from PseudoNormalLib.panels.training_panel import TrainingPanel

        ScriptedLoadableModuleWidget.setup(self)
        self.logic = PseudoNormalTrainingLogic()
        self.panel = TrainingPanel(self.logic.training)
        self.layout.addWidget(self.panel.widget)

    def enter(self) -> None:
        """The user comes to the module."""
        self.panel.enter()

    def exit(self) -> None:
        """The user goes to another module; trainings go on."""
        self.panel.leave()

    def cleanup(self) -> None:
        """Slicer ends, or reloads the module."""
        self.panel.close()
        self.logic.training.close()


class PseudoNormalTrainingLogic(ScriptedLoadableModuleLogic):
    """The module's logic for scripts: ``slicer.util.getModuleLogic("PseudoNormalTraining").training``."""

    def __init__(self, parent: Any = None) -> None:
        from PseudoNormalLib.training.bench import TrainingBench

        ScriptedLoadableModuleLogic.__init__(self, parent)
        # The other module's engine: one engine serves all.
        self.training = TrainingBench(slicer.util.getModuleLogic("PseudoNormal").bench)


class PseudoNormalTrainingTest(ScriptedLoadableModuleTest):
    """A self-test that needs no engine; the tests in Testing/ are the thorough ones."""

    def runTest(self, **_options: Any) -> None:  # noqa: N802 - Slicer's name
        """What Slicer calls."""
        slicer.mrmlScene.Clear(0)
        self.test_what_a_training_said_becomes_curves()

    def test_what_a_training_said_becomes_curves(self) -> None:
        """Losses in one chart, Dice in another, each line at its step."""
        from PseudoNormalLib.training.curves import TrainingCurves

        curves = TrainingCurves(slicer.mrmlScene)
        curves.show([{"step": step, "loss": 1 / step, "check_dice": step / 100} for step in (20, 40, 60)])
        for chart in (curves.losses.chart, curves.dice.chart):
            assert chart.GetNumberOfPlotSeriesNodes() == 1
            table = chart.GetNthPlotSeriesNode(0).GetTableNode().GetTable()
            assert [table.GetValue(row, 0).ToInt() for row in range(3)] == [20, 40, 60]
