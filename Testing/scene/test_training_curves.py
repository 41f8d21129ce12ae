"""A training's curves as nodes: what is drawn, what a break leaves, and what closing the scene does."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PseudoNormalLib.training.curves import MOST_CURVES, TrainingCurves, in_order
from Testing.plotted import plotted


@pytest.fixture
def some_curves(scene_host):
    return TrainingCurves(scene_host.scene)


def a_line(step, **terms):
    return {
        "step": step,
        "minutes": step / 60,
        "done": step / 1000,
        "minutes_left": 1.0,
        "loss": 1 / (1 + step),
    } | terms


def test_losses_dice_and_psnr_stand_in_charts_of_their_own(some_curves):
    lines = [{"stage": "material"}, a_line(20, seg=0.5), a_line(40, seg=0.4, check_dice=0.6, check_psnr_db=31.0)]
    some_curves.show(lines)
    assert plotted(some_curves.losses.chart) == {"loss": [(20, 1 / 21), (40, 1 / 41)], "seg": [(20, 0.5), (40, 0.4)]}
    assert plotted(some_curves.dice.chart) == {"dice": [(40, 0.6)]}
    assert plotted(some_curves.psnr.chart) == {"psnr db": [(40, 31.0)]}
    assert some_curves.losses.view.GetPlotChartNode() is some_curves.losses.chart


def test_curves_grow_and_vanish_with_the_lines(some_curves, scene_host):
    some_curves.show([a_line(20, seg=0.5)])
    some_curves.show([a_line(20, seg=0.5), a_line(40)])
    values = plotted(some_curves.losses.chart)
    assert values["seg"][0] == (20, 0.5) and math.isnan(values["seg"][1][1])
    some_curves.show([a_line(20)])
    assert list(plotted(some_curves.losses.chart)) == ["loss"]
    assert scene_host.scene.GetNumberOfNodesByClass("vtkMRMLPlotSeriesNode") == 1
    some_curves.show([])
    assert plotted(some_curves.losses.chart) == plotted(some_curves.dice.chart) == {}


def test_no_more_curves_are_drawn_than_there_are_colours(some_curves):
    some_curves.show([a_line(20, **{f"term_{number}": 1.0 for number in range(2 * MOST_CURVES)})])
    names = list(plotted(some_curves.losses.chart))
    assert len(names) == MOST_CURVES and names[0] == "loss"


def test_closing_the_scene_in_the_midst_of_a_training_does_no_harm(some_curves, scene_host):
    some_curves.show([a_line(20, check_dice=0.5)])
    scene_host.scene.Clear(0)
    some_curves.show([a_line(20, check_dice=0.5), a_line(40, check_dice=0.6)])
    assert len(plotted(some_curves.losses.chart)["loss"]) == 2
    assert plotted(some_curves.dice.chart) == {"dice": [(20, 0.5), (40, 0.6)]}
    assert some_curves.losses.chart.GetTitle() == "Training: losses"


def test_a_second_panel_draws_into_the_same_nodes(some_curves, scene_host):
    some_curves.show([a_line(20)])
    TrainingCurves(scene_host.scene).show([a_line(20), a_line(40)])
    assert scene_host.scene.GetNumberOfNodesByClass("vtkMRMLPlotChartNode") == 3
    assert len(plotted(some_curves.losses.chart)["loss"]) == 2


def test_curves_are_not_saved_with_the_scene(some_curves, scene_host):
    some_curves.show([a_line(20)])
    for kind in ("vtkMRMLTableNode", "vtkMRMLPlotSeriesNode", "vtkMRMLPlotChartNode", "vtkMRMLPlotViewNode"):
        nodes = scene_host.scene.GetNodesByClass(kind)
        assert nodes.GetNumberOfItems() > 0
        assert not any(nodes.GetItemAsObject(number).GetSaveWithScene() for number in range(nodes.GetNumberOfItems()))


@given(st.lists(st.lists(st.integers(1, 50), max_size=20), max_size=4))
def test_of_what_was_done_twice_after_a_break_the_second_time_counts(lives):
    lines = [{"step": step, "life": number} for number, life in enumerate(lives) for step in sorted(set(life))]
    kept = in_order(lines)
    steps = [line["step"] for line in kept]
    assert steps == sorted(set(steps))
    if lines:
        assert kept[-1] == lines[-1]
    for line in kept:
        later = [other for other in lines if other["life"] > line["life"] and other["step"] <= line["step"]]
        assert not later


def test_lines_without_a_step_are_no_part_of_a_curve():
    assert in_order([{"stage": "material"}, {"step": 20}, {"stage": "judging", "done": 0.5}]) == [{"step": 20}]
