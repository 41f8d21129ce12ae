"""The page shows the layout that the scene's layout node says, as the desktop does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PseudoNormalLib.observation import Observation
from PseudoNormalLib.scene.layout import register_layouts
from trame_slicer.core import LayoutManager
from trame_slicer.views import Layout, LayoutDirection, slicer_layout_to_vue


class Layouts:
    """Keeps the page's grid of views as the layout node has it.

    :param app: trame-slicer's ``SlicerApp``; its view manager must know how to make views.
    :param changed: called when another layout is shown, whose views will have other sizes.
    """

    def __init__(self, server: Any, app: Any, changed: Callable[[], None]) -> None:
        self._changed, self._shown = changed, ""
        self._node = register_layouts(app.scene)
        self._manager = LayoutManager(app.scene, app.view_manager, server)
        self._observation: Observation | None = None

    def build(self, layout: Any) -> None:
        """Make a place for the grid, inside the trame layout that is open.

        :param layout: that trame layout.
        """
        self._manager.initialize_layout_grid(layout)

    def follow(self) -> None:
        """From now on show what the scene says; not inside a trame layout, which would take the views for its own."""
        self._observation = Observation(self._node, "ModifiedEvent", self._follow)
        self._follow()

    def close(self) -> None:
        """Follow no more."""
        if self._observation is not None:
            self._observation.stop()

    def _follow(self, *_event: Any) -> None:
        number = self._node.GetViewArrangement()
        description = self._node.GetLayoutDescription(number)
        if not description or "<view" not in description:
            return
        name = str(number)
        if name == self._shown:
            return
        self._shown = name
        if not self._manager.has_layout(name):
            self._manager.register_layout(name, weighted(slicer_layout_to_vue(description)), lazy_initialization=True)
        self._manager.set_layout(name)
        self._changed()


def weighted(layout: Layout) -> Layout:
    """The same layout in which all views are about equally wide and high."""
    parts = [weighted(item) if isinstance(item, Layout) else item for item in layout.items]
    sizes = [str(_across(part, layout.direction)) for part in parts]
    return Layout(layout.direction, parts, sizes)


def _across(part: Any, direction: LayoutDirection) -> int:
    """How many views stand one after the other along a direction."""
    if not isinstance(part, Layout):
        return 1
    counts = [_across(item, direction) for item in part.items]
    return sum(counts) if part.direction is direction else max(counts)
