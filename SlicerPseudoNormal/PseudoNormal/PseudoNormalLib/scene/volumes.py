"""Volume nodes as arrays and back, the voxels bit for bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer
import vtk
from vtk.util import numpy_support


def array_of(node: Any) -> np.ndarray:
    """The voxels of a scalar volume node, without a copy.

    :param node: vtkMRMLScalarVolumeNode or vtkMRMLLabelMapVolumeNode.
    :returns: (D, H, W) the node's own memory; after a change in place call ``node.Modified()``.
    :raises ValueError: the node holds no voxels, or more than one number a voxel.
    """
    image = node.GetImageData()
    scalars = None if image is None else image.GetPointData().GetScalars()
    if scalars is None:
        raise ValueError(f"{node.GetName()}: holds no image; load it again")
    if scalars.GetNumberOfComponents() != 1:
        raise ValueError(f"{node.GetName()}: has several numbers a voxel (colour or 4D); choose a plain scan")
    return numpy_support.vtk_to_numpy(scalars).reshape(image.GetDimensions()[::-1])


def ijk_to_ras(node: Any) -> np.ndarray:
    """The matrix from voxel index (i, j, k, 1) to RAS mm, before any parent transform.

    :returns: (4, 4).
    """
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    return np.array([[matrix.GetElement(row, column) for column in range(4)] for row in range(4)])


def new_volume(
    scene: Any, name: str, array: np.ndarray, matrix: np.ndarray, window_level: tuple[float, float] | None = None
) -> Any:
    """A new volume node that is not yet shown anywhere.

    :param scene: the MRML scene.
    :param array: (D, H, W) of any numeric type; booleans become uint8. It is copied.
    :param matrix: (4, 4) from voxel index (i, j, k, 1) to RAS mm.
    :param window_level: its grey window; where none is given Slicer chooses one, which takes long.
    :returns: vtkMRMLScalarVolumeNode with a display node.
    """
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", scene.GenerateUniqueName(name))
    elements = vtk.vtkMatrix4x4()
    elements.DeepCopy(np.asarray(matrix, np.float64).ravel().tolist())
    node.SetIJKToRASMatrix(elements)
    if window_level is None:
        node.SetAndObserveImageData(_image(array))
        node.CreateDefaultDisplayNodes()
        return node
    node.CreateDefaultDisplayNodes()
    _set_window(node, *window_level)
    node.SetAndObserveImageData(_image(array))
    return node


def new_volume_like(reference: Any, name: str, array: np.ndarray) -> Any:
    """A new volume node on the grid of another one.

    The grids are equal to the last digit of the directions, which MRML makes unit vectors anew; a parent transform of
    the reference holds for the new node too. It is displayed in the reference's grey window.

    :param reference: vtkMRMLScalarVolumeNode.
    :param array: (D, H, W) of the reference's shape.
    :returns: vtkMRMLScalarVolumeNode with a display node.
    :raises ValueError: the shapes differ.
    """
    _check_shape(reference, array)
    scene = reference.GetScene()
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", scene.GenerateUniqueName(name))
    node.CopyOrientation(reference)
    node.SetAndObserveTransformNodeID(reference.GetTransformNodeID())
    node.CreateDefaultDisplayNodes()
    example = reference.GetDisplayNode()
    if example is not None:
        _set_window(node, example.GetWindow(), example.GetLevel())
    node.SetAndObserveImageData(_image(array))
    return node


def set_array(node: Any, array: np.ndarray) -> None:
    """Put other voxels on a node's grid; geometry and display stay.

    :param array: (D, H, W) of the node's shape, any numeric type. It is copied.
    :raises ValueError: the shapes differ.
    """
    _check_shape(node, array)
    node.SetAndObserveImageData(_image(array))


def same_grid(one: Any, other: Any) -> bool:
    """Whether two volume nodes have the same voxels in the patient, to a micrometre."""
    sizes = [node.GetImageData().GetDimensions() if node.GetImageData() else None for node in (one, other)]
    return sizes[0] is not None and sizes[0] == sizes[1] and np.allclose(ijk_to_ras(one), ijk_to_ras(other), atol=1e-3)


def voxel_ml(matrix: np.ndarray) -> float:
    """Volume of one voxel in ml.

    :param matrix: (4, 4) from voxel index to RAS mm.
    """
    return float(abs(np.linalg.det(matrix[:3, :3]))) / 1000.0


def points_to_ras(matrix: np.ndarray, zyx: np.ndarray) -> np.ndarray:
    """Array indices to RAS mm.

    :param matrix: (4, 4) from voxel index (i, j, k, 1) to RAS mm.
    :param zyx: (N, 3) array indices in ``[z, y, x]`` order, may be fractional.
    :returns: (N, 3).
    """
    return np.asarray(zyx, np.float64)[:, ::-1] @ matrix[:3, :3].T + matrix[:3, 3]


def to_world(node: Any, ras: tuple[float, float, float]) -> tuple[float, float, float]:
    """A position in a node's own RAS mm, as the views show it: through the node's parent transform, if it has one."""
    transform = vtk.vtkGeneralTransform()
    slicer.vtkMRMLTransformNode.GetTransformBetweenNodes(node.GetParentTransformNode(), None, transform)
    x, y, z = transform.TransformPoint(ras)
    return x, y, z


def _set_window(node: Any, window: float, level: float) -> None:
    """Before the voxels are there: to choose a window takes Slicer longer than all else that is done with a volume."""
    display = node.GetDisplayNode()
    display.SetAutoWindowLevel(False)
    display.SetWindowLevel(window, level)


def _check_shape(node: Any, array: np.ndarray) -> None:
    image = node.GetImageData()
    shape = None if image is None else image.GetDimensions()[::-1]
    if shape != array.shape:
        raise ValueError(f"{node.GetName()}: has the shape {shape}, the voxels given have {array.shape}")


def _image(array: np.ndarray) -> Any:
    """Image data that owns a copy of the voxels; geometry is the node's business."""
    plain = array.view(np.uint8) if array.dtype == bool else array
    plain = np.ascontiguousarray(plain, plain.dtype.newbyteorder("="))
    image = vtk.vtkImageData()
    image.SetDimensions(array.shape[::-1])
    image.GetPointData().SetScalars(numpy_support.numpy_to_vtk(plain.ravel(), deep=True))
    return image
