"""Pictures of the views without a window: for tests, documents and hosts that have none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import slicer
import vtk
from vtk.util import numpy_support

from PseudoNormalLib.scene.layout import COLUMNS, ORIENTATIONS, VIEW_3D, view_name

if TYPE_CHECKING:
    from PseudoNormalLib.hosts import Host

GAP = 2
"""Black pixels between two views."""


def blend_slice(host: Host, slice_node: Any, size: tuple[int, int], *, fit: bool = False) -> np.ndarray:
    """What a slice view shows of the volumes; needs no graphics at all.

    :param slice_node: vtkMRMLSliceNode; takes the size.
    :param size: width and height in pixels.
    :param fit: first fit the whole volume in, and go through its middle.
    :returns: (height, width, 4) uint8 RGBA, first row on top; transparent where there is nothing.
    """
    logic = _slice_logic(host, slice_node)
    logic.ResizeSliceNode(*size)
    slice_node.SetDimensions(*size, 1)
    if fit:
        logic.FitSliceToBackground(True)
    logic.GetBlend()
    connection = logic.GetImageDataConnection()
    if connection is None:
        return np.zeros((size[1], size[0], 4), np.uint8)
    connection.GetProducer().Update()
    return _rows(connection.GetProducer().GetOutputDataObject(connection.GetIndex()))


def render_slice(host: Host, slice_node: Any, size: tuple[int, int], *, fit: bool = False) -> np.ndarray:
    """What a slice view shows: the volumes, outlines of segmentations, crosshair and label.

    Parameters as in :func:`blend_slice`.

    :returns: (height, width, 3) uint8, first row on top.
    """
    picture = blend_slice(host, slice_node, size, fit=fit)
    factory = slicer.vtkMRMLSliceViewDisplayableManagerFactory.GetInstance()
    managers = ("vtkMRMLSegmentationsDisplayableManager2D", "vtkMRMLCrosshairDisplayableManager")
    with _window(host, factory, managers, slice_node, size, _backdrop(picture[..., :3])) as (window, renderer):
        renderer.GetActiveCamera().ParallelProjectionOn()
        renderer.AddViewProp(_label(slice_node.GetLayoutLabel(), size))
        return _grab(window)


def render_columns(host: Host, size: tuple[int, int] = (320, 320), *, fit: bool = False) -> np.ndarray:
    """The comparison: its columns side by side, one row for each orientation that the layout has.

    :param size: width and height of one view in pixels.
    :param fit: see :func:`blend_slice`.
    :returns: (height, width, 3) uint8.
    :raises ValueError: no layout of ours was shown yet.
    """
    rows = []
    for orientation in ORIENTATIONS:
        names = [view_name(column, orientation) for column in COLUMNS]
        nodes = [host.scene.GetSingletonNode(name, "vtkMRMLSliceNode") for name in names]
        if all(nodes):
            rows.append(_joined([render_slice(host, node, size, fit=fit) for node in nodes], axis=1))
    if not rows:
        raise ValueError("there are no columns to render; show a case first")
    return _joined(rows, axis=0)


def render_3d(host: Host, size: tuple[int, int] = (320, 320)) -> np.ndarray:
    """Surfaces of segmentations in 3D, seen from the front, fitted in.

    :param size: width and height in pixels.
    :returns: (height, width, 3) uint8.
    :raises ValueError: the layout with a 3D view was not shown yet.
    """
    node = host.scene.GetSingletonNode(VIEW_3D, "vtkMRMLViewNode")
    if node is None:
        raise ValueError("there is no 3D view to render; show a case in the layout with one")
    factory = slicer.vtkMRMLThreeDViewDisplayableManagerFactory.GetInstance()
    with _window(host, factory, ("vtkMRMLSegmentationsDisplayableManager3D",), node, size) as (window, renderer):
        camera = renderer.GetActiveCamera()
        camera.SetFocalPoint(0.0, 0.0, 0.0)
        camera.SetPosition(0.0, 1.0, 0.0)
        camera.SetViewUp(0.0, 0.0, 1.0)
        renderer.ResetCamera()
        return _grab(window)


def write_png(picture: np.ndarray, path: Path) -> None:
    """Write a picture as a PNG file.

    :param picture: (height, width, 3) uint8, first row on top.
    :raises OSError: the file cannot be written.
    """
    writer = vtk.vtkPNGWriter()
    writer.SetInputData(_image(picture))
    # Through memory: the writer's own file access knows no error and, on Windows, no name beyond its code page.
    writer.WriteToMemoryOn()
    writer.Write()
    path.write_bytes(numpy_support.vtk_to_numpy(writer.GetResult()).tobytes())


@contextmanager
def _window(
    host: Host, factory: Any, managers: tuple[str, ...], view_node: Any, size: tuple[int, int], *below: Any
) -> Iterator[tuple[Any, Any]]:
    """A window that nobody sees, with the managers that draw a view's nodes.

    :param below: what is drawn first, so that shades of segmentations are mixed with it.
    """
    window, renderer = vtk.vtkRenderWindow(), vtk.vtkRenderer()
    window.SetShowWindow(False)
    window.SetOffScreenRendering(True)
    window.SetMultiSamples(0)
    window.SetSize(*size)
    window.AddRenderer(renderer)
    for prop in below:
        renderer.AddViewProp(prop)
    interactor = vtk.vtkRenderWindowInteractor()
    interactor.SetRenderWindow(window)
    former = factory.GetMRMLApplicationLogic()  # the factory is the whole process's
    factory.SetMRMLApplicationLogic(host.application_logic)
    for manager in managers:
        if not factory.IsDisplayableManagerRegistered(manager):
            factory.RegisterDisplayableManager(manager)
    group = slicer.vtkMRMLDisplayableManagerGroup()
    group.Initialize(factory, renderer)
    group.SetMRMLDisplayableNode(view_node)
    try:
        yield window, renderer
    finally:
        group.SetMRMLDisplayableNode(None)
        group.SetRenderer(None)
        window.Finalize()
        factory.SetMRMLApplicationLogic(former)


def _slice_logic(host: Host, slice_node: Any) -> Any:
    """The host's logic of a slice view; made where the view has none yet."""
    logics = host.application_logic.GetSliceLogics()
    for number in range(logics.GetNumberOfItems()):
        if logics.GetItemAsObject(number).GetSliceNode() is slice_node:
            return logics.GetItemAsObject(number)
    logic = slicer.vtkMRMLSliceLogic()
    logic.SetMRMLApplicationLogic(host.application_logic)
    logic.SetMRMLScene(host.scene)
    logic.SetSliceNode(slice_node)
    logics.AddItem(logic)
    return logic


def _backdrop(picture: np.ndarray) -> Any:
    mapper = vtk.vtkImageMapper()
    mapper.SetColorWindow(255)
    mapper.SetColorLevel(127.5)
    mapper.SetInputData(_image(picture))
    actor = vtk.vtkActor2D()
    actor.SetMapper(mapper)
    actor.GetProperty().SetDisplayLocationToBackground()
    return actor


def _label(text: str | None, size: tuple[int, int]) -> Any:
    actor = vtk.vtkTextActor()
    actor.SetInput(text or "")
    actor.SetDisplayPosition(8, size[1] - 24)
    actor.GetTextProperty().SetFontSize(15)
    return actor


def _grab(window: Any) -> np.ndarray:
    window.Render()
    grabber = vtk.vtkWindowToImageFilter()
    grabber.SetInput(window)
    grabber.ReadFrontBufferOff()
    grabber.Update()
    return _rows(grabber.GetOutput())


def _image(picture: np.ndarray) -> Any:
    image = vtk.vtkImageData()
    image.SetDimensions(picture.shape[1], picture.shape[0], 1)
    pixels = np.ascontiguousarray(picture[::-1]).reshape(-1, picture.shape[2])
    image.GetPointData().SetScalars(numpy_support.numpy_to_vtk(pixels, deep=True))
    return image


def _rows(image: Any) -> np.ndarray:
    """Pixels with the first row on top."""
    width, height, _ = image.GetDimensions()
    return numpy_support.vtk_to_numpy(image.GetPointData().GetScalars()).reshape(height, width, -1)[::-1].copy()


def _joined(pictures: list[np.ndarray], axis: int) -> np.ndarray:
    shape = list(pictures[0].shape)
    shape[axis] = GAP
    parts = [part for picture in pictures for part in (np.zeros(shape, np.uint8), picture)]
    return np.concatenate(parts[1:], axis=axis)
