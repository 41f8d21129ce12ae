"""A training's curves as nodes of the scene: what it loses, and how good it is on cases that it does not learn from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from vtk.util.numpy_support import numpy_to_vtk

from PseudoNormalLib.i18n import _
from PseudoNormalLib.training.watch import term_in_words

STEP = "step"
NO_TERMS = (STEP, "minutes", "minutes_left", "done")
CHECK = "check_"
COLOURS = ((0.12, 0.47, 0.71), (1.0, 0.5, 0.05), (0.17, 0.63, 0.17), (0.84, 0.15, 0.16), (0.58, 0.4, 0.74),
           (0.55, 0.34, 0.29), (0.89, 0.47, 0.76), (0.5, 0.5, 0.5), (0.74, 0.74, 0.13), (0.09, 0.75, 0.81))  # fmt: skip
MOST_CURVES = len(COLOURS)


class Curves:
    """One chart with one curve a term, kept in the scene: table, plot series, chart and view of their own.

    :ivar view: vtkMRMLPlotViewNode that shows the chart.
    :ivar chart: vtkMRMLPlotChartNode.
    """

    def __init__(self, scene: Any, name: str, title: str) -> None:
        self._scene, self._name, self._title = scene, name, title
        self._series: dict[str, Any] = {}
        self._table = self._node("vtkMRMLTableNode")
        self.chart = self._node("vtkMRMLPlotChartNode")
        self.view = self._node("vtkMRMLPlotViewNode")
        self.view.SetLayoutName(self._tag)
        self._set_up()

    def show(self, terms: Sequence[Mapping[str, float]]) -> None:
        """Draw these numbers instead of those before.

        :param terms: lines with "step" and the terms to draw, in the order of their steps.
        """
        self._set_up()
        names = drawn_names(terms)
        table = self._table
        changing = table.StartModify()
        table.RemoveAllColumns()
        for name in (STEP, *names):
            column = numpy_to_vtk(np.array([line.get(name, np.nan) for line in terms], np.float64), deep=True)
            column.SetName(term_in_words(name))
            table.AddColumn(column)
        table.EndModify(changing)
        for name in [name for name in self._series if name not in names]:
            self._scene.RemoveNode(self._series.pop(name))
        for name, colour in zip(names, COLOURS, strict=False):
            if name not in self._series:
                self._series[name] = self._curve(term_in_words(name), colour)

    def _set_up(self) -> None:
        """As it has to be; whoever closes the scene empties nodes that stay and takes the others away."""
        self._series = {name: node for name, node in self._series.items() if self._scene.IsNodePresent(node)}
        if not self._series:
            self.chart.RemoveAllPlotSeriesNodeIDs()
        self.chart.SetTitle(self._title)
        self.chart.SetXAxisTitle(_("Step"))
        self.chart.SetYAxisTitleVisibility(False)
        self.view.SetPlotChartNodeID(self.chart.GetID())

    def _curve(self, name: str, colour: tuple[float, float, float]) -> Any:
        series = self._scene.AddNewNodeByClass("vtkMRMLPlotSeriesNode", name)
        series.SetAndObserveTableNodeID(self._table.GetID())
        series.SetPlotType(series.PlotTypeScatter)
        series.SetXColumnName(STEP)
        series.SetYColumnName(name)
        series.SetMarkerStyle(series.MarkerStyleNone)
        series.SetColor(*colour)
        series.SetSaveWithScene(False)
        self.chart.AddAndObservePlotSeriesNodeID(series.GetID())
        return series

    @property
    def _tag(self) -> str:
        return f"PseudoNormal{self._name}"

    def _node(self, kind: str) -> Any:
        """The scene's node of a kind for this chart; made where there is none. A training's curves are not saved."""
        node = self._scene.GetSingletonNode(self._tag, kind)
        if node is None:
            node = self._scene.AddNewNodeByClass(kind, self._title)
            node.SetSingletonTag(self._tag)
            node.SetSaveWithScene(False)
        return node


class TrainingCurves:
    """The charts of a training.

    :ivar losses: what is minimised.
    :ivar dice: of the lesions that are found in cases kept aside.
    :ivar psnr: of what is restored in them, dB.
    """

    def __init__(self, scene: Any) -> None:
        losses, dice, psnr = chart_titles()
        self.losses = Curves(scene, "TrainingLosses", losses)
        self.dice = Curves(scene, "TrainingDice", dice)
        self.psnr = Curves(scene, "TrainingPsnr", psnr)

    def show(self, lines: Sequence[Mapping[str, Any]]) -> None:
        """Draw what a training said; of a part that was done twice, after a break, the second time counts."""
        for curves, terms in zip((self.losses, self.dice, self.psnr), drawn_terms(lines), strict=True):
            curves.show(terms)


def chart_titles() -> tuple[str, str, str]:
    """What the charts of :func:`drawn_terms` are called."""
    return (
        _("Training: losses"),
        _("Training: Dice, cases kept aside"),
        _("Training: PSNR (dB), cases kept aside"),
    )


def drawn_terms(lines: Sequence[Mapping[str, Any]]) -> tuple[list[dict[str, float]], ...]:
    """What a training's charts draw: what is minimised, Dice and PSNR of cases kept aside.

    :param lines: all that the training said.
    :returns: for each chart lines with "step" and terms by name, in the order of their steps.
    """
    steps = in_order(lines)
    checks = [
        [_terms(line, lambda name, word=word: name.startswith(CHECK) and word in name) for line in steps]
        for word in ("dice", "psnr")
    ]
    losses = [_terms(line, lambda name: not name.startswith(CHECK)) for line in steps]
    return losses, *([terms for terms in each if len(terms) > 1] for each in checks)


def drawn_names(terms: Sequence[Mapping[str, float]]) -> list[str]:
    """The terms that a chart draws, in the order of their colours."""
    return [name for name in _names(terms) if name != STEP][:MOST_CURVES]


def in_order(lines: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The lines that tell of a step; those that a process said again after a break replace what was said before."""
    kept: list[Mapping[str, Any]] = []
    for line in lines:
        if STEP in line:
            while kept and kept[-1][STEP] >= line[STEP]:
                kept.pop()
            kept.append(line)
    return kept


def _terms(line: Mapping[str, Any], drawn: Callable[[str], bool]) -> dict[str, float]:
    wanted = {
        name: float(value)
        for name, value in line.items()
        if name not in NO_TERMS and drawn(name) and isinstance(value, (int, float))
    }
    return {STEP: float(line[STEP]), **wanted}


def _names(terms: Sequence[Mapping[str, float]]) -> list[str]:
    """Every name in the order of its first use, "loss" first."""
    names = dict.fromkeys(name for line in terms for name in line)
    return sorted(names, key=lambda name: name != "loss")
