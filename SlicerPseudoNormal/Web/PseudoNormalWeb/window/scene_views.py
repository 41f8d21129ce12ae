"""trame-slicer's views of nodes that the scene has already.

The scene's own logic may have made a view's node before the view is drawn; trame-slicer's views would make another
one, which the scene does not know.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trame_slicer.rca_view.rca_view_factory import RcaWindow
from trame_slicer.views import SliceView, ThreeDView
from trame_slicer.views.abstract_view import AbstractView

COARSER = 2
"""Pixels of a moving slice are so many times as wide."""


class SceneSliceView(SliceView):
    """A slice view of the scene's node of that name, where there is one."""

    def set_scene(self, scene: Any) -> None:
        """See :class:`SliceView`."""
        node = scene.GetSingletonNode(self.name, "vtkMRMLSliceNode")
        if node is not None:
            AbstractView.set_scene(self, scene)
            self._logic.SetMRMLScene(scene)
            self._logic.SetSliceNode(node)
            self.set_view_node(node)
        super().set_scene(scene)


class SceneThreeDView(ThreeDView):
    """A 3D view of the scene's node of that name, where there is one."""

    def set_scene(self, scene: Any) -> None:
        """See :class:`ThreeDView`."""
        node = scene.GetSingletonNode(self.name, "vtkMRMLViewNode")
        if node is not None:
            AbstractView.set_scene(self, scene)
            self.set_view_node(node)
        super().set_scene(scene)


class PictureOfView(RcaWindow):
    """A view's pictures.

    :param sized: called when the page has said how large they are in the layout that is shown.
    :ivar touched: called when the mouse does something in the view.
    """

    def __init__(self, view: Any, state: Any, cursor: str, sized: Callable[[], None]) -> None:
        super().__init__(view.render_window(), state=state, active_view_cursor=cursor)
        self._tell, self._sized = sized, False
        self.touched: Callable[[], None] = lambda: None

    def process_resize_event(self, width: int, height: int) -> None:
        """See :class:`RcaWindow`."""
        super().process_resize_event(width, height)
        if not self._sized:
            self._sized = True
            self._tell()

    def tell_next_size(self) -> None:
        """Another layout is shown: ``sized`` is called once more."""
        self._sized = False

    def process_interaction_event(self, event: dict[str, Any]) -> None:
        """See :class:`RcaWindow`."""
        self.touched()
        super().process_interaction_event(event)

    def settle(self) -> bool:
        """Nothing moves any more: whether the view has to be drawn anew for that."""
        return False


class PictureOfSlice(PictureOfView):
    """A slice view's pictures: while another and another slice is shown, as coarse as the scan itself.

    What a slice costs is its pixels. Where a voxel is two pixels wide or more, half as many each way show all there is.

    :param logic: of the slice.
    """

    def __init__(self, view: Any, state: Any, cursor: str, sized: Callable[[], None], logic: Any) -> None:
        super().__init__(view, state, cursor, sized)
        self._logic = logic
        self._shown: float | None = None  # offset of the slice that was drawn last, mm
        self._whole: tuple[int, int] | None = None  # size when it is not coarse; None while it is not
        self._held = False

    @property
    def img_cols_rows(self) -> tuple[Any, int, int]:
        """See :class:`RcaWindow`."""
        offset = self._logic.GetSliceOffset()
        moved, self._shown = self._shown not in (None, offset), offset
        if moved and self._whole is None and not self._held and self._is_finer_than_the_scan():
            width, height, _ = self._logic.GetSliceNode().GetDimensions()
            self._whole = width, height
            self._make_size(width // COARSER, height // COARSER)
        return super().img_cols_rows

    def settle(self) -> bool:
        """See :class:`PictureOfView`."""
        if self._whole is None:
            return False
        self._make_size(*self._whole)
        self._whole = None
        return True

    def process_resize_event(self, width: int, height: int) -> None:
        """See :class:`RcaWindow`."""
        self.settle()
        super().process_resize_event(width, height)

    def process_interaction_event(self, event: dict[str, Any]) -> None:
        """See :class:`RcaWindow`; strokes and drags are made in the pixels that the page has."""
        self._held = event.get("action", "up") == "down"
        if self._held:
            self.settle()
        super().process_interaction_event(event)

    def _is_finer_than_the_scan(self) -> bool:
        volume, node = self._logic.GetBackgroundLayer().GetVolumeNode(), self._logic.GetSliceNode()
        if volume is None:
            return False
        return min(volume.GetSpacing()) >= COARSER * node.GetFieldOfView()[0] / node.GetDimensions()[0]

    def _make_size(self, width: int, height: int) -> None:
        """In pixels; millimetres stay. The node first: told of the window's size alone it would show less."""
        self._logic.GetSliceNode().SetDimensions(width, height, 1)
        self._iren.UpdateSize(width, height)
