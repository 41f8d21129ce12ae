"""Whose scan it is, without saying who."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
from PseudoNormalLib.scene.subject import subject_in, subject_of
from PseudoNormalLib.scene.volumes import new_volume
from Testing.scene.conftest import STRAIGHT


@pytest.fixture
def a_scan_of(scene_host):
    """Makes a volume node in a patient's study, as the DICOM module does; None: of nobody."""
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene_host.scene)

    def make(patient, name="scan"):
        image = new_volume(scene_host.scene, name, np.zeros((2, 2, 2), np.int16), STRAIGHT)
        if patient is not None:
            subject = hierarchy.CreateSubjectItem(hierarchy.GetSceneItemID(), "Zoë")
            hierarchy.SetItemAttribute(subject, "DICOM.PatientID", patient)
            hierarchy.CreateItem(hierarchy.CreateStudyItem(subject, "study"), image)
        return image

    return make


def test_all_scans_of_a_patient_have_one_key_that_does_not_hold_the_id(a_scan_of):
    keys = [subject_of(a_scan_of(patient)) for patient in ("4711-Zoë", "4711-Zoë ", "4712")]
    assert keys[0] == keys[1] != keys[2]
    assert "4711" not in keys[0] and "Zoë" not in keys[0]


def test_without_a_patient_the_name_may_tell(a_scan_of):
    assert subject_of(a_scan_of(None, "sub-07_ses-2_FLAIR")) == subject_of(a_scan_of("", "sub-07_T1w")) == "07"
    assert subject_of(a_scan_of(None, "head")) is None


@pytest.mark.parametrize(
    ("name", "subject"),
    [("sub-01_FLAIR.nii.gz", "01"), ("sub-a1.nii", "a1"), ("sub-.nii", None), ("my_sub-01.nii", None), ("", None)],
)
def test_the_subject_is_told_from_names_as_bids_builds_them(name, subject):
    assert subject_in(name) == subject
