"""Tables of the review: rows of words, of which some are chosen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trame.widgets import html

HEIGHT = 168  # px


def table(
    titles: Sequence[str], rows: str, *, words: int, is_on: str, sometimes: Sequence[int] = (), **options: Any
) -> None:
    """A table that scrolls.

    :param rows: name of the state that holds each row's cells.
    :param words: number of the column that has most to say.
    :param sometimes: numbers of the columns that are not there while no row has anything in them.
    :param is_on: JavaScript that says whether the row ``index`` with the cells ``row`` is chosen.
    :param options: of the rows, such as ``click``.
    """
    with (
        html.Div(v_show=f"{rows}.length", style=f"max-height: {HEIGHT}px; overflow: auto; flex: none;"),
        html.Table(classes="pn-table"),
    ):
        with html.Thead(), html.Tr():
            for column, title in enumerate(titles):
                shown = {"v_show": f"{rows}.some(row => row[{column}])"} if column in sometimes else {}
                html.Th(title, classes="pn-words" if column == words else "", **shown)
        with (
            html.Tbody(),
            html.Tr(v_for=f"(row, index) in {rows}", key="index", classes=(f"({is_on}) ? 'pn-on' : ''",), **options),
        ):
            html.Td(
                "{{ cell }}",
                v_for="(cell, column) in row",
                v_show=f"!{list(sometimes)}.includes(column) || {rows}.some(row => row[column])",
                key="column",
                classes=(f"column === {words} ? 'pn-words' : ''",),
                style="white-space: nowrap;",
            )
