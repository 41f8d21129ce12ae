"""What stands over a slice: its label, where it is, which side is which, and the way to another one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from trame.widgets import html
from trame.widgets import vuetify3 as v3
from trame_server.utils.typed_state import TypedState

AXES = ("RL", "AP", "SI")
"""The patient's directions along RAS axes: towards positive, towards negative."""


@dataclass
class SliceState:
    """What is written over a slice.

    :param filled: whether there is anything to be seen.
    :param place: of the slice, such as ``S 12.0 mm``.
    :param sides: of the patient at left, right, top and bottom.
    """

    filled: bool = False
    place: str = ""
    left: str = ""
    right: str = ""
    top: str = ""
    bottom: str = ""
    offset: float = 0.0
    least: float = 0.0
    most: float = 1.0
    step: float = 1.0


class SliceTile:
    """Follows a slice view, and moves it.

    :param app: trame-slicer's ``SlicerApp``.
    :param view: its ``SliceView``.
    :param name: of its state on the page.
    """

    def __init__(self, server: Any, app: Any, view: Any, name: str) -> None:
        self._view = view
        self._logic = app.app_logic.GetSliceLogic(view.get_view_node())
        self._state = TypedState(server.state, SliceState, namespace=name)
        self._state.bind_changes({self._state.name.offset: self._go})
        view.modified.connect(self._follow)
        self._follow(view)

    def close(self) -> None:
        """Follow no more."""
        self._view.modified.disconnect(self._follow)

    def build(self, label: str) -> None:
        """Make the widgets, inside the layout that is open."""
        names = self._state.name
        html.Div(label, classes="pn-label")
        html.Div(f"{{{{ {names.place} }}}}", classes="pn-place", v_show=(names.filled,))
        for side in ("left", "right", "top", "bottom"):
            html.Div(f"{{{{ {getattr(names, side)} }}}}", classes=f"pn-side pn-{side}", v_show=(names.filled,))
        v3.VSlider(
            v_show=(names.filled,),
            v_model=(names.offset,),
            min=(names.least,),
            max=(names.most,),
            step=(names.step,),
            classes="pn-slider",
            density="compact",
            hide_details=True,
            thumb_size=12,
            track_size=2,
            name=label,
        )

    def _go(self, offset: float) -> None:
        if abs(offset - self._view.get_slice_value()) > 1e-3:
            self._logic.StartSliceOffsetInteraction()  # linked views go along
            self._logic.SetSliceOffset(offset)
            self._logic.EndSliceOffsetInteraction()

    def _follow(self, _view: Any) -> None:
        data, node = self._state.data, self._view.get_view_node()
        data.filled = self._logic.GetBackgroundLayer().GetVolumeNode() is not None
        with self._state.suppress_change_listeners():
            data.least, data.most = self._view.get_slice_range()
            data.step = self._view.get_slice_step()
            data.offset = self._view.get_slice_value()
        matrix = node.GetSliceToRAS()
        columns = [[matrix.GetElement(row, column) for row in range(3)] for column in range(3)]
        data.right, data.left = _sides(columns[0])
        data.top, data.bottom = _sides(columns[1])
        data.place = _place([matrix.GetElement(row, 3) for row in range(3)], columns[2])


def _sides(direction: list[float]) -> str:
    """Which of the patient's sides lies in a direction, and which in the opposite one."""
    axis = max(range(3), key=lambda each: abs(direction[each]))
    return AXES[axis] if direction[axis] > 0 else AXES[axis][::-1]


def _place(middle: list[float], normal: list[float]) -> str:
    """Where a slice lies along the axis that it is closest to being perpendicular to."""
    axis = max(range(3), key=lambda each: abs(normal[each]))
    at = middle[axis]
    return f"{AXES[axis][0] if at >= 0 else AXES[axis][1]} {abs(at):.1f} mm"
