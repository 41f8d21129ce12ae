"""The last word about the open case, and whether what was done is saved."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from PseudoNormalLib.i18n import _
from PseudoNormalLib.review.place import COMMENT_LENGTH
from trame.widgets import html
from trame.widgets import vuetify3 as v3
from trame_server.utils.typed_state import TypedState

from PseudoNormalWeb.window.forms import button, note, section

if TYPE_CHECKING:
    from PseudoNormalWeb.window.window import Window


@dataclass
class VerdictState:
    """The decision.

    :param then_next: whether the next case is opened after it.
    :param line: how saving went.
    :param why: why a button cannot be pressed, by its name.
    """

    comment: str = ""
    then_next: bool = True
    line: str = ""
    why: dict[str, str] = field(default_factory=dict)


class VerdictBox:
    """Accept, second reader, reject; a comment; the state of saving."""

    def __init__(self, window: Window) -> None:
        self._verdict = verdict = window.review.verdict
        self._state = TypedState(window.server.state, VerdictState)
        name = self._state.name
        self._state.bind_changes({
            name.comment: lambda comment: verdict.write(comment or ""),
            name.then_next: self._set_next,
        })  # fmt: skip
        verdict.changed.connect(self._show)
        self._show()

    def build(self) -> None:
        """Make the widgets, inside the trame layout that is open."""
        name, tips = self._state.name, self._verdict.offers()
        with section(_("Decision")):
            v3.VTextarea(
                v_model=(name.comment,),
                label=_("Comment"),
                title=tips["comment"].tip,
                disabled=(f"!!{name.why}.comment",),
                maxlength=COMMENT_LENGTH,
                rows=1,
                auto_grow=True,
            )
            self._button("accepted", _("Accept the case"), color="primary", variant="flat", wide=True)
            with html.Div(classes="pn-row"):
                self._button("needs_second_reader", _("Needs a second reader"))
                self._button("rejected", _("Reject the case"))
            with html.Div(classes="pn-row"):
                v3.VCheckbox(v_model=(name.then_next,), label=_("Then open the next case"))
                with html.Div(style="flex: 0 0 110px;"):
                    button(_("Save a draft"), self._verdict.save, tip=tips["save"].tip, reason=f"{name.why}.save")
            note(f"{{{{ {name.line} }}}}")

    def close(self) -> None:
        """Follow no more."""
        self._verdict.changed.disconnect(self._show)

    def _button(self, state: str, text: str, **options: object) -> None:
        tip, reason = self._verdict.offers()[state].tip, f"{self._state.name.why}.{state}"
        button(text, lambda: self._verdict.finish(state), tip=tip, reason=reason, **options)

    def _set_next(self, then_next: bool) -> None:
        self._verdict.then_next = then_next

    def _show(self) -> None:
        data, verdict = self._state.data, self._verdict
        data.comment, data.line, data.then_next = verdict.comment, verdict.line, verdict.then_next
        data.why = {name: offer.reason for name, offer in verdict.offers().items()}
