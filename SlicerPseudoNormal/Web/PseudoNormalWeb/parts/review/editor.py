"""Drawing: which segment, with which tool, and undo and redo of everything."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from PseudoNormalLib.i18n import _
from PseudoNormalLib.review.bench import LEAST_MM, MOST_MM
from trame.widgets import html
from trame.widgets import vuetify3 as v3
from trame_server.utils.typed_state import TypedState

from PseudoNormalWeb.parts.review.tools import Smoothing, Tool, Tools
from PseudoNormalWeb.window.forms import button, note, section

if TYPE_CHECKING:
    from PseudoNormalWeb.window.window import Window

CLOSER = "margin: -8px 0 -8px -5px;"
"""Tick boxes of Vuetify stand far from everything."""


@dataclass
class EditorState:
    """The tools.

    :param tool: the one in hand, a value of :class:`Tool`.
    :param radius: of brushes, mm.
    :param ball: whether they reach into neighbouring slices.
    :param span: intensities of the scan, least and most.
    :param range: intensities that brushes may be limited to.
    :param small: the smallest part that stays, ml.
    :param kernel: width of what smooths, mm.
    :param why: why a button cannot be pressed, by its name.
    """

    tool: str = Tool.LOOK.value
    distrusts: bool = False
    radius: float = 0.0
    ball: bool = False
    limited: bool = False
    span: list[float] = field(default_factory=lambda: [0.0, 1.0])
    range: list[float] = field(default_factory=lambda: [0.0, 1.0])
    small: float = 0.1
    smoothing: str = Smoothing.MEDIAN.value
    kernel: float = 3.0
    line: str = ""
    why: dict[str, str] = field(default_factory=dict)


class EditorBox:
    """The tools for the mask of the open case."""

    def __init__(self, window: Window) -> None:
        self._review = review = window.review
        self._drawing, self._deciding = review.drawing, review.deciding
        self._tools = tools = Tools(window.app, review)
        self._state = TypedState(window.server.state, EditorState)
        name = self._state.name
        self._state.bind_changes({
            name.radius: lambda radius: review.set_brush(radius_mm=float(radius)),
            name.ball: tools.use_ball,
            (name.limited, name.range): lambda limited, range_: tools.set_range(*range_, limited=limited),
        })  # fmt: skip
        self._signals = (
            (tools.changed, self._show),
            (self._drawing.changed, self._show),
            (self._deciding.changed, self._show),
            (review.brush_changed, self._follow_brush),
        )
        for signal, listener in self._signals:
            signal.connect(listener)
        self._follow_brush()
        self._show()

    def build(self) -> None:
        """Make the widgets, inside the trame layout that is open."""
        name = self._state.name
        with section(_("Draw")):
            with html.Div(classes="pn-row"):
                for key, text, distrusted in (
                    ("lesion", _("Lesion"), False),
                    ("distrusted", _("Do not trust (D)"), True),
                ):
                    on = f"{name.distrusts} === {str(distrusted).lower()} && !{name.why}.{key}"
                    self._switch(
                        key, text, on, lambda distrusted=distrusted: self._drawing.choose(distrusted=distrusted)
                    )
            note(f"{{{{ {name.line} }}}}", v_show=(name.line,))
            with html.Div(classes="pn-row"):
                for tool, text in ((Tool.PAINT, _("Paint")), (Tool.ERASE, _("Erase")), (Tool.LOOK, _("Look"))):
                    on = f"{name.tool} === '{tool.value}' && !{name.why}.{tool.value}"
                    self._switch(tool.value, text, on, lambda tool=tool: self._tools.hold(tool))
            with html.Div(classes="pn-slide"):
                html.Span(_("Radius, mm"), title=_("Of all brushes; keys [ and ]"))
                v3.VSlider(v_model=(name.radius,), min=LEAST_MM, max=MOST_MM, step=0.5)
                html.Span(f"{{{{ {name.radius}.toFixed(1) }}}}", classes="pn-value")
            v3.VCheckbox(v_model=(name.ball,), label=_("Reach into neighbouring slices"), style=CLOSER)
            self._build_range()
            self._build_once()
            with html.Div(classes="pn-row"):
                self._button("undo", _("Undo"), self._deciding.undo)
                self._button("redo", _("Redo"), self._deciding.redo)

    def close(self) -> None:
        """Follow no more."""
        for signal, listener in self._signals:
            signal.disconnect(listener)
        self._tools.close()

    def _build_range(self) -> None:
        name = self._state.name
        v3.VCheckbox(
            v_model=(name.limited,),
            label=_("Only voxels of these intensities"),
            title=self._tools.offers()["range"].tip,
            disabled=(f"!!{name.why}.range",),
            style=CLOSER,
        )
        with html.Div(classes="pn-slide"):
            v3.VRangeSlider(
                v_model=(name.range,),
                min=(f"{name.span}[0]",),
                max=(f"{name.span}[1]",),
                step=(f"({name.span}[1] - {name.span}[0]) > 20 ? 1 : 0.001",),
                disabled=(f"!!{name.why}.range",),
                density="compact",
                hide_details=True,
                thumb_size=14,
                color="primary",
            )
            with html.Div(style="flex: none; width: 78px;", classes="pn-value"):
                html.Span(f"{{{{ {name.range}[0].toFixed(0) }}}} – {{{{ {name.range}[1].toFixed(0) }}}}")
            self._button("fill", _("Add"), self._tools.fill)

    def _build_once(self) -> None:
        """What works on the whole segment at once."""
        name = self._state.name
        smoothings = [
            {"title": _("Median"), "value": Smoothing.MEDIAN.value},
            {"title": _("Take off thin parts"), "value": Smoothing.OPENING.value},
            {"title": _("Fill gaps"), "value": Smoothing.CLOSING.value},
        ]
        with html.Div(classes="pn-row"):
            v3.VSelect(v_model=(name.smoothing,), items=(smoothings,), label=_("Smooth"))
            with html.Div(style="flex: 0 0 74px;"):
                v3.VTextField(v_model_number=(name.kernel,), label="mm", type="number", min=1, max=30, step=1)
            with html.Div(style="flex: 0 0 84px;"):
                self._button("smooth", _("Smooth"), self._smooth)
        with html.Div(classes="pn-row"):
            self._button("largest", _("Keep the largest"), self._tools.keep_largest)
            with html.Div(style="flex: 0 0 74px;"):
                v3.VTextField(v_model_number=(name.small,), label="ml", type="number", min=0, step=0.1)
            with html.Div(style="flex: 0 0 110px;"):
                self._button("small", _("Drop smaller"), self._drop_small)

    def _button(self, key: str, text: str, pressed: object) -> None:
        offers = self._deciding.offers() | self._tools.offers()
        button(text, pressed, tip=offers[key].tip, reason=f"{self._state.name.why}.{key}")

    def _switch(self, key: str, text: str, on: str, pressed: object) -> None:
        offers = self._drawing.offers() | self._tools.offers()
        button(
            text,
            pressed,
            tip=offers[key].tip,
            reason=f"{self._state.name.why}.{key}",
            color=(f"({on}) ? 'primary' : undefined",),
            variant=(f"({on}) ? 'flat' : 'tonal'",),
            aria_pressed=(f"({on})",),
        )

    def _smooth(self) -> None:
        self._tools.smooth(Smoothing(self._state.data.smoothing), float(self._state.data.kernel or 0))

    def _drop_small(self) -> None:
        self._tools.remove_small(float(self._state.data.small or 0))

    def _show(self) -> None:
        data, tools = self._state.data, self._tools
        data.tool, data.distrusts, data.line = tools.tool.value, self._drawing.distrusts, self._drawing.line()
        data.span, data.range, data.limited = list(tools.span), list(tools.range), tools.limited
        offers = self._deciding.offers() | self._drawing.offers() | tools.offers()
        data.why = {name: offer.reason for name, offer in offers.items()}

    def _follow_brush(self) -> None:
        self._state.data.radius = self._review.radius_mm
