"""Layouts of linked views: input, pseudo-normal and difference side by side."""

from __future__ import annotations

from enum import Enum
from typing import Any

import slicer

COLUMNS = ("image", "pseudo_normal", "difference")
"""Columns from left to right, named after what they show."""
LABELS = {"image": "Input", "pseudo_normal": "Pseudo-normal", "difference": "Difference"}
ORIENTATIONS = ("Axial", "Coronal", "Sagittal")
VIEW_3D = "PseudoNormal3D"
_COLOURS = {"Axial": "#F34A33", "Coronal": "#6EB04B", "Sagittal": "#EDD54C"}


class Arrangement(Enum):
    """The layouts; the value is the number that Slicer's layout menu knows them by."""

    COLUMNS = 7610
    """Three axial views."""
    GRID = 7611
    """Three columns of axial, coronal and sagittal views, and a 3D view."""


def register_layouts(scene: Any) -> Any:
    """Make the layouts known to the scene's layout node.

    :returns: the vtkMRMLLayoutNode; made where the host has none.
    """
    node = scene.GetFirstNodeByClass("vtkMRMLLayoutNode") or scene.AddNode(slicer.vtkMRMLLayoutNode())
    for arrangement, description in ((Arrangement.COLUMNS, _columns()), (Arrangement.GRID, _grid())):
        if not node.IsLayoutDescription(arrangement.value):
            node.AddLayoutDescription(arrangement.value, description)
    return node


def show_layout(scene: Any, arrangement: Arrangement) -> None:
    """Switch to a layout. In the desktop the views appear; elsewhere their nodes are made, for whoever draws them."""
    register_layouts(scene).SetViewArrangement(arrangement.value)
    for orientation in ORIENTATIONS[:1] if arrangement is Arrangement.COLUMNS else ORIENTATIONS:
        for column in COLUMNS:
            linked_view(scene, column, orientation, LABELS[column])
    if arrangement is Arrangement.GRID and scene.GetSingletonNode(VIEW_3D, "vtkMRMLViewNode") is None:
        _add_view(scene, "vtkMRMLViewNode", VIEW_3D)


def slice_nodes(scene: Any, column: str | None = None) -> list[Any]:
    """The vtkMRMLSliceNodes of the layouts that exist by now.

    :param column: one of ``COLUMNS``; None: all, column by column.
    """
    names = [view_name(each, orientation) for each in COLUMNS for orientation in ORIENTATIONS if column in (None, each)]
    nodes = (scene.GetSingletonNode(name, "vtkMRMLSliceNode") for name in names)
    return [node for node in nodes if node is not None]


def composite_of(slice_node: Any) -> Any:
    """The vtkMRMLSliceCompositeNode that says which volumes a slice view shows."""
    scene, name = slice_node.GetScene(), slice_node.GetLayoutName()
    composite = scene.GetSingletonNode(name, "vtkMRMLSliceCompositeNode")
    return composite or _add_view(scene, "vtkMRMLSliceCompositeNode", name)


def view_name(column: str, orientation: str) -> str:
    """The name that layout, slice node and composite node of a view share."""
    return f"PseudoNormal-{column}-{orientation}"


def linked_view(scene: Any, column: str, orientation: str, label: str) -> Any:
    """The vtkMRMLSliceNode of a view that moves with the others; made where there is none."""
    name = view_name(column, orientation)
    node = scene.GetSingletonNode(name, "vtkMRMLSliceNode")
    if node is None:
        node = _add_view(scene, "vtkMRMLSliceNode", name)
        node.SetOrientation(orientation)
        node.SetLayoutLabel(label)
    composite = composite_of(node)
    composite.SetLinkedControl(True)
    composite.SetHotLinkedControl(True)
    return node


def fit(application_logic: Any, views: list[Any], volume: Any | None = None) -> None:
    """Fit the whole head into views and put them through its middle.

    :param volume: what is fitted into a view that shows nothing yet.
    """
    logics = application_logic.GetSliceLogics()
    empty, places = [], {}
    for number in range(logics.GetNumberOfItems() if logics is not None else 0):
        logic = logics.GetItemAsObject(number)
        node = logic.GetSliceNode()
        if node not in views:
            continue
        if logic.GetBackgroundLayer().GetVolumeNode() is None and volume is not None:
            logic.FitSliceToVolume(volume, *node.GetDimensions()[:2])
            empty.append(node)
        else:
            logic.FitSliceToBackground(True)
            places[_direction(node)] = node.GetSliceOffset()
    for node in empty:  # only what shows a scan snaps to its voxels; the others are to be filled at the same place
        node.SetSliceOffset(places.get(_direction(node), node.GetSliceOffset()))


def box(direction: str, parts: list[str]) -> str:
    """A layout's description of parts side by side ("horizontal") or one below the other ("vertical")."""
    items = "".join(f"<item>{part}</item>" for part in parts)
    return f'<layout type="{direction}" split="true">{items}</layout>'


def described_view(column: str, orientation: str, label: str) -> str:
    """A layout's description of a slice view."""
    properties = {"orientation": orientation, "viewlabel": label, "viewcolor": _COLOURS[orientation]}
    inner = "".join(f'<property name="{key}" action="default">{value}</property>' for key, value in properties.items())
    return f'<view class="vtkMRMLSliceNode" singletontag="{view_name(column, orientation)}">{inner}</view>'


def _direction(slice_node: Any) -> str:
    """One of ``ORIENTATIONS``, whatever the volume has turned the view to."""
    return slice_node.GetLayoutName().rpartition("-")[2]


def _add_view(scene: Any, kind: str, name: str) -> Any:
    # Made by the scene, which knows the host's defaults (among them the orientations). Views whose node is called
    # otherwise than their layout's item are linked in name only.
    node = scene.AddNewNodeByClass(kind, name)
    node.SetSingletonTag(name)
    node.SetLayoutName(name)
    return node


def _columns() -> str:
    return box("horizontal", [_slice(column, ORIENTATIONS[0]) for column in COLUMNS])


def _grid() -> str:
    rows = [box("horizontal", [_slice(column, orientation) for column in COLUMNS]) for orientation in ORIENTATIONS]
    view = f'<view class="vtkMRMLViewNode" singletontag="{VIEW_3D}"><property name="viewlabel" action="default">3D'
    return box("horizontal", [box("vertical", rows), f"{view}</property></view>"])


def _slice(column: str, orientation: str) -> str:
    return described_view(column, orientation, LABELS[column])
