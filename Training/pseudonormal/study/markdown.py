"""Pieces of Markdown that the studies' tables are put together from."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from pseudonormal.evaluate.bootstrap import Interval

Rows = Sequence[Mapping[str, Any]]


def some_of(rows: Rows, **where: object) -> list[Mapping[str, Any]]:
    """Rows whose fields have these values."""
    return [row for row in rows if all(row.get(name) == value for name, value in where.items())]


def target(wanted: str, measured: float, met: bool) -> str:
    """What was wanted, what was measured, and whether that is it."""
    return f"{wanted}: {measured:+.3f}, {'met' if met else 'missed'}"


def cell(value: Interval, digits: int = 3, sign: str = "") -> str:
    """A mean and its interval; empty where nothing was measured."""
    if not value.values:
        return ""
    show: Callable[[float], str] = lambda number: f"{number:{sign}.{digits}f}"  # noqa: E731 - of these digits
    if math.isnan(value.low):
        return show(value.mean)
    return f"{show(value.mean)} [{show(value.low)}, {show(value.high)}]"


def table(head: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    """A table, Markdown."""
    lines = [head, ["---"] * len(head), *body]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def bullets(lines: Iterable[str]) -> str:
    """A list, Markdown."""
    return "".join(f"- {line}\n" for line in lines)
