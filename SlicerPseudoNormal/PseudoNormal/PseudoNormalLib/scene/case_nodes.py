"""The nodes of one case, and how they find each other again after the scene was saved and loaded."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from typing import Any

ROLE = "PseudoNormal."
"""Node references from the input to what was made of it are called ``PseudoNormal.<field of CaseNodes>``."""
REPORT = "PseudoNormal.report"
JOB = "PseudoNormal.job"
STORED = "PseudoNormal.stored"


@dataclass(frozen=True)
class CaseNodes:
    """The input and what was made of it, all on the input's grid.

    :param image: vtkMRMLScalarVolumeNode, the input.
    :param pseudo_normal: vtkMRMLScalarVolumeNode in the input's units and type.
    :param difference: vtkMRMLScalarVolumeNode, input - pseudo-normal in the input's units.
    :param difference_z: vtkMRMLScalarVolumeNode, the same as robust z.
    :param lesions: vtkMRMLSegmentationNode, the lesion mask.
    :param wide_difference_z: vtkMRMLScalarVolumeNode, robust z a little beyond the mask too; the review's brush follows
        it.
    """

    image: Any
    pseudo_normal: Any | None = None
    difference: Any | None = None
    difference_z: Any | None = None
    lesions: Any | None = None
    wide_difference_z: Any | None = None

    @property
    def made(self) -> tuple[Any, ...]:
        """The nodes that were made of the input, as far as there are any."""
        return tuple(node for node in (getattr(self, role) for role in _MADE) if node is not None)

    @property
    def complete(self) -> bool:
        """Whether there is a result to compare the input with."""
        return self.pseudo_normal is not None and self.difference_z is not None


_MADE = tuple(field.name for field in fields(CaseNodes) if field.name != "image")


def link(case: CaseNodes) -> None:
    """Write into the scene what belongs to the input: node references are saved with it."""
    for role in _MADE:
        node = getattr(case, role)
        case.image.SetNodeReferenceID(ROLE + role, node.GetID() if node else None)


def case_of(node: Any) -> CaseNodes:
    """The case that a node belongs to, be it the input or something made of it.

    A node that belongs to nothing is the input of a case without results.
    """
    for case in cases_in(node.GetScene()):
        if any(getattr(case, field.name) is node for field in fields(case)):
            return case
    return CaseNodes(node)


def cases_in(scene: Any) -> list[CaseNodes]:
    """All cases of a scene that have results, in the order of their inputs."""
    volumes = (scene.GetNthNodeByClass(n, "vtkMRMLScalarVolumeNode") for n in range(_count(scene)))
    cases = (CaseNodes(node, **{role: node.GetNodeReference(ROLE + role) for role in _MADE}) for node in volumes)
    return [case for case in cases if any(getattr(case, role) for role in _MADE)]


def set_report(case: CaseNodes, report: dict[str, Any]) -> None:
    """Keep the engine's report with the input; it is saved with the scene."""
    case.image.SetAttribute(REPORT, json.dumps(report, ensure_ascii=False))


def report_of(case: CaseNodes) -> dict[str, Any] | None:
    """The engine's report of a case; None when there is none."""
    text = case.image.GetAttribute(REPORT)
    return json.loads(text) if text else None


def set_job(case: CaseNodes, job: str) -> None:
    """Keep with the input which job of the engine's made the results; the case store has not got these yet."""
    case.image.SetAttribute(JOB, job)
    case.image.RemoveAttribute(STORED)


def job_of(case: CaseNodes) -> str:
    """The job that made a case's results; empty where none did."""
    return case.image.GetAttribute(JOB) or ""


def set_stored(case: CaseNodes, name: str) -> None:
    """Keep with the input what its results are called in the case store."""
    case.image.SetAttribute(STORED, name)


def stored_as(case: CaseNodes) -> str:
    """What a case's results are called in the case store; empty where they were not sent there."""
    return case.image.GetAttribute(STORED) or ""


def _count(scene: Any) -> int:
    return int(scene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode"))
