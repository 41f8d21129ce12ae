"""Tables that are read and clicked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from trame.widgets import html


def table(titles: Sequence[str], rows: str, current: str, clicked: Callable[[int], Any], **options: Any) -> None:
    """A table of words whose rows are chosen as a whole; not there while it has none.

    :param rows: name of the state that holds the cells of each row.
    :param current: name of the state that holds the chosen row's number.
    :param clicked: told the number of a row.
    """
    with html.Table(v_show=f"{rows}.length", classes="pn-table pn-all-words", **options):
        with html.Thead(), html.Tr():
            for title in titles:
                html.Th(title)
        with (
            html.Tbody(),
            html.Tr(
                v_for=f"(row, index) in {rows}",
                key="index",
                classes=(f"index === {current} ? 'pn-on' : ''",),
                click=(clicked, "[index]"),
            ),
        ):
            html.Td("{{ cell }}", v_for="(cell, column) in row", key="column")
