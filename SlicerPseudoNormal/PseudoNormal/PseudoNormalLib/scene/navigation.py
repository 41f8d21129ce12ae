"""Going to a place: all slice views, the crosshair and the 3D camera."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import vtk

from PseudoNormalLib.scene.volumes import to_world

if TYPE_CHECKING:
    from PseudoNormalLib.scene.findings import Finding


def jump_to(scene: Any, ras: tuple[float, float, float]) -> None:
    """Show a place in every slice view and turn the 3D cameras to it.

    A view is moved sideways only when the place would not be in it: what one looks at stays where it was.

    :param ras: RAS mm as the views show it (world).
    """
    for number in range(scene.GetNumberOfNodesByClass("vtkMRMLSliceNode")):
        view = scene.GetNthNodeByClass(number, "vtkMRMLSliceNode")
        if _in_view(view, ras):
            view.JumpSliceByOffsetting(*ras)
        else:
            view.JumpSliceByCentering(*ras)
    crosshair = scene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
    if crosshair is not None:
        crosshair.SetCrosshairRAS(ras)
    for number in range(scene.GetNumberOfNodesByClass("vtkMRMLCameraNode")):
        _look_at(scene.GetNthNodeByClass(number, "vtkMRMLCameraNode"), ras)


def jump_to_finding(image: Any, finding: Finding) -> None:
    """Go to a finding's centre.

    :param image: the volume node whose case the finding belongs to.
    """
    jump_to(image.GetScene(), to_world(image, finding.centroid_ras))


def place(scene: Any) -> tuple[float, float, float] | None:
    """Where the crosshair stands, RAS mm; None in a scene without crosshair. With :func:`jump_to` one comes back."""
    crosshair = scene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
    if crosshair is None:
        return None
    x, y, z = crosshair.GetCrosshairRAS()
    return x, y, z


def _in_view(view: Any, ras: tuple[float, float, float]) -> bool:
    to_pixel = vtk.vtkMatrix4x4()
    vtk.vtkMatrix4x4.Invert(view.GetXYToRAS(), to_pixel)
    x, y, _, _ = to_pixel.MultiplyPoint((*ras, 1.0))
    width, height, _ = view.GetDimensions()
    return 0.0 <= x < width and 0.0 <= y < height


def _look_at(camera: Any, ras: tuple[float, float, float]) -> None:
    """Move the camera sideways, so that direction and distance stay."""
    old = camera.GetFocalPoint()
    eye = [position + new - before for position, new, before in zip(camera.GetPosition(), ras, old, strict=True)]
    camera.SetFocalPoint(ras)
    camera.SetPosition(eye)
    camera.ResetClippingRange()
