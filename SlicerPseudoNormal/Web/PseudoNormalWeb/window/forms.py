"""How the drawer is laid out: sections, and buttons that say why they cannot be pressed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from trame.widgets import html
from trame.widgets import vuetify3 as v3


@contextmanager
def section(title: str, *, name: str = "", collapsed: bool = False, **options: Any) -> Iterator[Any]:
    """A part of the drawer that can be folded away; what is made inside the block stands in it.

    :param name: tells it from another of the same title.
    :param options: of Vuetify's VExpansionPanels, such as ``v_show``.
    """
    # A state of its own: what the user folds or unfolds stays so when something in it changes.
    unfolded = "section__" + "".join(letter if letter.isalnum() else "_" for letter in name or title)
    with (
        v3.VExpansionPanels(
            v_model=(unfolded, [] if collapsed else [0]),
            multiple=True,
            flat=True,
            static=True,
            classes="pn-section",
            **options,
        ),
        v3.VExpansionPanel(eager=True),
    ):
        v3.VExpansionPanelTitle(title)
        with v3.VExpansionPanelText() as inside:
            yield inside


def button(
    text: str,
    pressed: Callable[[], Any] | str,
    *,
    tip: str = "",
    reason: str = "''",
    wide: bool = False,
    **options: Any,
) -> Any:
    """A button.

    :param text: what stands on it; may hold ``{{ state }}``.
    :param tip: what it does.
    :param reason: JavaScript that says why it cannot be pressed now, the name of a state for instance; empty when it
        can be.
    :param wide: as wide as the drawer.
    :param options: of Vuetify's VBtn.
    """
    # The tooltip is around the button: one that cannot be pressed hears no mouse.
    with html.Div(title=(f"({reason}) || {_quoted(tip)}",), classes="pn-button pn-wide" if wide else "pn-button"):
        return v3.VBtn(text, click=pressed, disabled=(f"!!({reason})",), **options)


def note(text: str, **options: Any) -> Any:
    """A line or more of quiet text that wraps; may hold ``{{ state }}``."""
    return html.Div(text, classes=options.pop("classes", "pn-note"), **options)


def _quoted(text: str) -> str:
    """A text inside an attribute's JavaScript, where double quotes end the attribute."""
    inside = json.dumps(text)[1:-1].replace('\\"', "\\u0022").replace("'", "\\u0027")
    return f"'{inside}'"
