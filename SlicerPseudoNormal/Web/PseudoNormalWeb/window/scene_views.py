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
