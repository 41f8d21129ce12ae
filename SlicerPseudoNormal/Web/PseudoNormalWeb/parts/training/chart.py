"""A training's curves as a drawing (SVG); axes have the page's own colour, and so fit the dark and the light theme."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from itertools import pairwise

from PseudoNormalLib.training.curves import COLOURS, STEP, drawn_names
from PseudoNormalLib.training.watch import term_in_words

WIDTH, HEIGHT = 344, 132
LEFT, RIGHT, TOP, BOTTOM = 40, 6, 8, 20
MOST_POINTS = 400
Point = tuple[float, float]


def chart(terms: Sequence[Mapping[str, float]]) -> str:
    """One chart with one curve a term; empty where there is nothing to draw.

    :param terms: lines with "step" and the terms to draw, in the order of their steps.
    """
    curves = {name: points_of(terms, name) for name in drawn_names(terms)}
    drawn = [point for points in curves.values() for point in points]
    if not drawn:
        return ""
    low, high = (extreme(y for _x, y in drawn) for extreme in (min, max))
    ticks = ticks_between(low, high)
    low, high = min(low, ticks[0]), max(high, ticks[-1])
    first, last = drawn[0][0], max(x for x, _y in drawn)

    def place(point: Point) -> Point:
        across = (point[0] - first) / (last - first) if last > first else 0.5
        up = (point[1] - low) / (high - low) if high > low else 0.5
        return LEFT + across * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM)

    lines = [_grid_line(tick, place((first, tick))[1]) for tick in ticks]
    lines += [_step(first, LEFT, "start"), _step(last, WIDTH - RIGHT, "end")] if last > first else []
    for (name, points), colour in zip(curves.items(), colours(), strict=False):
        lines.append(_curve(name, [place(point) for point in thinned(points)], colour))
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" class="pn-chart" role="img">{"".join(lines)}</svg>'


def legend(terms: Sequence[Mapping[str, float]]) -> list[dict[str, str]]:
    """What the curves are: "name", "colour" and the "last" value of each."""
    found = []
    for name, colour in zip(drawn_names(terms), colours(), strict=False):
        points = points_of(terms, name)
        if points:
            found.append({"name": term_in_words(name), "colour": colour, "last": f"{points[-1][1]:.3g}"})
    return found


def points_of(terms: Sequence[Mapping[str, float]], name: str) -> list[Point]:
    """Steps and values of a term; what is no number is left out."""
    return [(line[STEP], line[name]) for line in terms if math.isfinite(line.get(name, math.nan))]


def thinned(points: Sequence[Point]) -> list[Point]:
    """No more points than can be seen; the first, the last and all peaks stay."""
    if len(points) <= MOST_POINTS:
        return list(points)
    edges = [round(n * len(points) / (MOST_POINTS // 2)) for n in range(MOST_POINTS // 2 + 1)]
    kept: set[Point] = {points[0], points[-1]}
    for begin, end in pairwise(edges):
        some = points[begin:end]
        kept |= {min(some, key=lambda point: point[1]), max(some, key=lambda point: point[1])}
    return sorted(kept)


def ticks_between(low: float, high: float) -> list[float]:
    """Two to five round numbers around and between two values."""
    span = high - low or abs(high) or 1.0
    rough = span / 3
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    first = math.floor(low / step)
    last = max(math.ceil(high / step), first + 1)
    return [round(n * step, 12) for n in range(first, last + 1)]


def colours() -> list[str]:
    """As the desktop's plots have them."""
    return ["#" + "".join(f"{round(255 * part):02x}" for part in colour) for colour in COLOURS]


def _grid_line(value: float, y: float) -> str:
    line = f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" class="pn-grid"/>'
    return f'{line}<text x="{LEFT - 5}" y="{y + 3:.1f}" text-anchor="end">{value:g}</text>'


def _step(step: float, x: float, anchor: str) -> str:
    return f'<text x="{x}" y="{HEIGHT - 6}" text-anchor="{anchor}">{step:.0f}</text>'


def _curve(name: str, points: Sequence[Point], colour: str) -> str:
    title = f"<title>{escape(term_in_words(name))}</title>"
    if len(points) == 1:
        x, y = points[0]
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2" fill="{colour}">{title}</circle>'
    told = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{told}" stroke="{colour}" class="pn-curve">{title}</polyline>'
