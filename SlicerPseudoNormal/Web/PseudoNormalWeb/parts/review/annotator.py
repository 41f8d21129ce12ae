"""Who reviews, and whose cases these are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PseudoNormalLib.i18n import _
from trame.widgets import vuetify3 as v3
from trame_server.utils.typed_state import TypedState

from PseudoNormalWeb.window.forms import note, section

if TYPE_CHECKING:
    from PseudoNormalWeb.window.window import Window

WRITTEN = "[$event.target.value]"
"""JavaScript: what stands in the field that an event comes from; the state may not have it yet."""


@dataclass
class AnnotatorState:
    """The annotator's name, and one line about the cases."""

    name: str = ""
    line: str = ""


class AnnotatorBox:
    """The annotator's name."""

    def __init__(self, window: Window) -> None:
        self._review = review = window.review
        self._state = TypedState(window.server.state, AnnotatorState)
        self._state.data.name = review.annotator
        self._signals = ((review.bench.connection.changed, self._follow), (review.signed, self._follow))
        for signal, listener in self._signals:
            signal.connect(listener)
        self._follow()

    def build(self) -> None:
        """Make the widgets, inside the trame layout that is open."""
        name = self._state.name
        with section(_("Annotator"), collapsed=not self._review.obstacle()):
            v3.VTextField(
                v_model=(name.name,),
                label=_("Your name"),
                title=_("Stands beside everything that you save"),
                blur=(self._sign, WRITTEN),
                enter=(self._sign, WRITTEN),
                maxlength=100,
                __events=[("enter", "keydown.enter")],
            )
            note(f"{{{{ {name.line} }}}}")

    def close(self) -> None:
        """Follow no more."""
        for signal, listener in self._signals:
            signal.disconnect(listener)

    def _sign(self, written: str) -> None:
        if written.strip() != self._review.annotator:
            self._review.sign(written)
            self._review.wake()

    def _follow(self, *_state: Any) -> None:
        self._state.data.line = self._review.obstacle()
