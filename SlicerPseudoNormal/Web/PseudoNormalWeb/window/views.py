"""Views of the scene as tiles of the page: drawn here, sent as pictures, with what is written over them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from trame.widgets import html
from trame.widgets import vuetify3 as v3
from trame.widgets.rca import RemoteControlledArea
from trame_rca.utils import RcaViewAdapter
from trame_server.utils.asynchronous import create_task
from trame_slicer.rca_view.rca_view_factory import RcaRenderStrategy
from trame_slicer.views import IViewFactory, ViewLayout, ViewLayoutDefinition, ViewType
from trame_slicer.views.render_scheduler import NoScheduleRendering

from PseudoNormalWeb.window.pictures import Drawing, Pictures
from PseudoNormalWeb.window.scene_views import PictureOfSlice, PictureOfView, SceneSliceView, SceneThreeDView
from PseudoNormalWeb.window.slice_tile import SliceTile


@dataclass(frozen=True, eq=False)
class Tile:
    """A view and what sends it.

    :param view: trame-slicer's view.
    :param window: draws it.
    :param adapter: hands it the mouse, and the page its pictures.
    """

    view: Any
    window: PictureOfView
    adapter: Any
    layout: Any
    over: SliceTile | None


class Tiles(IViewFactory):
    """Makes the views that a layout asks for.

    :param app: trame-slicer's ``SlicerApp``.
    :param fit_into: fits what there is into a slice view; called with its node.
    """

    def __init__(self, server: Any, app: Any, fit_into: Callable[[Any], None]) -> None:
        super().__init__()
        self._server, self._app, self._fit_into = server, app, fit_into
        self._drawing = Drawing()

    def can_create_view(self, view: ViewLayoutDefinition) -> bool:
        """Slices and 3D."""
        return view.view_type in (ViewType.SLICE_VIEW, ViewType.THREE_D_VIEW)

    def close(self) -> None:
        """Follow the views no more."""
        self._drawing.close()
        for tile in self._views.values():
            if tile.over is not None:
                tile.over.close()

    def fit_when_sized(self) -> None:
        """Another layout is shown: what was fitted into the views of the one before does not fit into these."""
        for tile in self._views.values():
            if tile.over is not None:
                tile.window.tell_next_size()

    def _create_view(self, view: ViewLayoutDefinition, scene: Any, app_logic: Any) -> Tile:
        slices = view.view_type == ViewType.SLICE_VIEW
        made = (SceneSliceView if slices else SceneThreeDView)(
            scene=scene,
            app_logic=app_logic,
            name=view.singleton_tag,
            scheduled_render_strategy=NoScheduleRendering(),  # until somebody can see it
        )
        made.set_view_properties(view.properties)
        made.render_window().SetMultiSamples(0)  # a slice is pixels already, and every sample costs time
        if not slices:
            made.set_background_color_from_string("#000000")
            made.set_box_visible(False)
        name = view.singleton_tag
        cursor = f"{identifier(name)}__cursor"
        self._server.state.setdefault(cursor, "default")
        if slices:
            node = made.get_view_node()
            logic = self._app.app_logic.GetSliceLogic(node)
            window = PictureOfSlice(made, self._server.state, cursor, partial(self._fit_into, node), logic)
        else:
            window = PictureOfView(made, self._server.state, cursor, made.reset_view)
        pictures = Pictures(window, self._drawing)
        window.touched = pictures.prefer
        adapter = RcaViewAdapter(window=window, name=name, scheduler=pictures, do_schedule_render_on_interaction=False)
        made.set_scheduled_render(RcaRenderStrategy(pictures))
        over = SliceTile(self._server, self._app, made, identifier(name)) if slices else None
        with ViewLayout(self._server, template_name=name) as layout:
            self._build(name, view.properties.label or "", cursor, over)
        create_task(self._register(adapter))
        return Tile(made, window, adapter, layout, over)

    def _get_slicer_view(self, view: Tile) -> Any:
        return view.view

    async def _register(self, adapter: Any) -> None:
        await self._server.ready  # its protocol takes no views before
        self._server.root_server.controller.rc_area_register(adapter)

    def _build(self, name: str, label: str, cursor: str, over: SliceTile | None) -> None:
        with html.Div(
            classes="pn-tile",
            style=(f"{{cursor: {cursor}}}",),
            __properties=[("data_view", "data-view")],
            data_view=name,
        ):
            RemoteControlledArea(
                name=name, display="image", send_mouse_move=True, event_throttle_ms=0, classes="pn-picture"
            )
            if over is not None:
                over.build(label)
            else:
                html.Div(label, classes="pn-label")
                v3.VBtn(
                    icon="mdi-image-filter-center-focus",
                    classes="pn-tool",
                    variant="text",
                    size="x-small",
                    click=lambda: self.get_view(name).reset_view(),
                )


def identifier(name: str) -> str:
    """A view's name as a part of the names of the page's state."""
    return "view_" + "".join(letter if letter.isalnum() else "_" for letter in name)
