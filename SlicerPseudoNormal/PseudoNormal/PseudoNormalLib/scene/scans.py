"""What a scene offers to choose from."""

from __future__ import annotations

from typing import Any

from PseudoNormalLib.scene.case_nodes import cases_in


def scans_in(scene: Any) -> list[Any]:
    """The scalar volumes that are scans: not what was made of one."""
    made = {node.GetID() for case in cases_in(scene) for node in case.made}
    volumes = nodes_in(scene, "vtkMRMLScalarVolumeNode")
    return [node for node in volumes if node.GetID() not in made and not node.GetHideFromEditors()]


def nodes_in(scene: Any, kind: str) -> list[Any]:
    """The nodes of a class, those that are derived from it left out."""
    nodes = (scene.GetNthNodeByClass(number, kind) for number in range(scene.GetNumberOfNodesByClass(kind)))
    return [node for node in nodes if node.GetClassName() == kind]
