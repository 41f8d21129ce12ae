"""Whose scan it is, without saying who: a key that is the same for all scans of a person."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import slicer

_IN_BIDS = re.compile(r"sub-([A-Za-z0-9]+)(?:_|\.|$)")
_LETTERS = 32


def subject_of(image: Any) -> str | None:
    """A key to the person on a scan: from the patient that it was loaded with, else from its name.

    The patient's id itself is not given away; the engine's store keeps but a keyed hash of the key.

    :param image: vtkMRMLScalarVolumeNode.
    :returns: None when nothing tells.
    """
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(image.GetScene())
    item = hierarchy.GetItemByDataNode(image) if hierarchy is not None else 0
    names = slicer.vtkMRMLSubjectHierarchyConstants
    patient = ""
    if item:
        level = names.GetDICOMLevelPatient()
        patient = hierarchy.GetAttributeFromItemAncestor(item, names.GetDICOMPatientIDAttributeName(), level)
    if patient.strip():
        return hashlib.sha256(patient.strip().encode()).hexdigest()[:_LETTERS]
    return subject_in(image.GetName() or "")


def subject_in(name: str) -> str | None:
    """The subject's label in a name that is built as BIDS has it, such as ``sub-01_FLAIR``; None in another one."""
    found = _IN_BIDS.match(name)
    return found[1] if found else None
