"""The drawing of a training's curves."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from PseudoNormalWeb.parts.training.chart import (
    HEIGHT,
    MOST_POINTS,
    WIDTH,
    chart,
    colours,
    legend,
    thinned,
    ticks_between,
)

finite = st.floats(-1e9, 1e9, allow_subnormal=False)


def curves_of(drawing):
    """The points of each curve by its title."""
    root = ElementTree.fromstring(drawing)  # noqa: S314 - our own drawing
    return {
        line.find("title").text: [tuple(map(float, pair.split(","))) for pair in line.get("points").split()]
        for line in root.iter("polyline")
    }


def test_nothing_to_draw_is_no_drawing():
    assert chart([]) == "" and chart([{"step": 1.0}]) == "" and chart([{"step": 1.0, "loss": float("nan")}]) == ""


def test_curves_rise_and_fall_as_their_numbers_do():
    terms = [{"step": float(n), "loss": 1 / n, "check_dice": n / 10} for n in range(1, 10)]
    curves = curves_of(chart(terms))
    assert list(curves) == ["loss", "dice"]
    assert (np.diff([y for _x, y in curves["loss"]]) > 0).all(), "a smaller loss lies lower"
    assert (np.diff([y for _x, y in curves["dice"]]) < 0).all()
    assert [each["name"] for each in legend(terms)] == ["loss", "dice"]
    assert [each["last"] for each in legend(terms)] == ["0.111", "0.9"]


def test_names_are_only_text():
    assert "<b>" not in chart([{"step": float(n), "<b>": 1.0 * n} for n in range(3)])


def test_colours_are_those_of_the_desktop():
    assert colours()[0] == "#1f78b5" and all(re.fullmatch("#[0-9a-f]{6}", colour) for colour in colours())


@given(st.lists(finite, min_size=1, max_size=40))
def test_whatever_the_numbers_are_everything_lies_inside(values):
    drawing = chart([{"step": float(n), "loss": value} for n, value in enumerate(values)])
    for points in curves_of(drawing).values():
        assert all(0 <= x <= WIDTH and -0.1 <= y <= HEIGHT for x, y in points)


@given(finite, finite)
def test_ticks_are_few_and_enclose_the_numbers(one, other):
    low, high = sorted((one, other))
    ticks = ticks_between(low, high)
    assert 2 <= len(ticks) <= 6
    near = 1e-6 * max(abs(low), abs(high), 1e-6)
    assert ticks[0] <= low + near and ticks[-1] >= high - near


def test_a_long_curve_keeps_its_ends_and_its_peaks():
    values = np.zeros(20_000)
    values[7777] = 5.0
    kept = thinned([(float(n), float(value)) for n, value in enumerate(values)])
    assert len(kept) <= MOST_POINTS + 2
    assert kept[0] == (0.0, 0.0) and kept[-1] == (19_999.0, 0.0) and (7777.0, 5.0) in kept
    assert [x for x, _y in kept] == sorted(x for x, _y in kept)
