"""The samples that are offered, and what is told of a scan's contrast."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import numpy as np
import pydicom
import pytest
from PseudoNormalLib.contrast import guess_contrast
from PseudoNormalLib.samples import CATEGORY, SAMPLES, register
from PseudoNormalLib.scene.volumes import new_volume
from Testing.scene.conftest import STRAIGHT


@pytest.fixture
def named(scene_host):
    """A volume node of a name."""
    return lambda name: new_volume(scene_host.scene, name, np.zeros((2, 2, 2), np.int16), STRAIGHT)


@pytest.fixture
def a_dicom_file(tmp_path):
    """Writes a header without pixels."""

    def write(**values):
        dataset = pydicom.Dataset()
        for name, value in values.items():
            setattr(dataset, name, value)
        dataset.SOPClassUID = pydicom.uid.MRImageStorage
        dataset.SOPInstanceUID = pydicom.uid.generate_uid()
        dataset.file_meta = pydicom.dataset.FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
        path = tmp_path / "Lékař.dcm"
        dataset.save_as(path, enforce_file_format=True)
        return [path]

    return write


@pytest.mark.parametrize(
    ("name", "contrast"),
    [
        ("3: AX T2 FLAIR", "FLAIR"),
        ("sub-01_FLAIR", "FLAIR"),
        ("t2_tirm_tra_dark-fluid", "FLAIR"),
        ("T1W", "T1"),
        ("sub-12_T1w", "T1"),
        ("5: t1_mprage_sag_p2_iso", "T1"),
        ("SAG MPRAGE", "T1"),
        ("T1 post Gd", "T1 with contrast agent"),
        ("T1c", "T1 with contrast agent"),
        ("BRATS_t1ce", "T1 with contrast agent"),
        ("AX T1 +C", "T1 with contrast agent"),
        ("POST AX T1", "T1 with contrast agent"),
        ("t1_cor", "T1"),
        ("T1 coronal", "T1"),
        ("t2_tse_tra", "T2"),
        ("T2*", "SWI or T2*"),
        ("Ax T2 Star GRE", "SWI or T2*"),
        ("ep2d_diff_ADC", "ADC"),
        ("DWI b1000", "DWI"),
        ("PD axial", "PD"),
        ("head", None),
        ("patient07", None),
        ("pdf of something", None),
    ],
)
def test_the_contrast_is_told_from_the_name(named, name, contrast):
    assert guess_contrast(named(name)) == contrast


def test_the_description_of_the_series_tells_what_the_name_does_not(named, a_dicom_file):
    assert guess_contrast(named("head"), a_dicom_file(SeriesDescription="ax_flair_3mm")) == "FLAIR"
    assert guess_contrast(named("T1"), a_dicom_file(SeriesDescription="ax_flair_3mm")) == "T1"


@pytest.mark.parametrize(
    ("times", "contrast"),
    [
        ({"EchoTime": 12, "RepetitionTime": 500}, "T1"),
        ({"EchoTime": 12, "RepetitionTime": 500, "ContrastBolusAgent": "Gadovist"}, "T1 with contrast agent"),
        ({"EchoTime": 3, "RepetitionTime": 2300, "InversionTime": 900}, "T1"),
        ({"EchoTime": 100, "RepetitionTime": 4500}, "T2"),
        ({"EchoTime": 120, "RepetitionTime": 9000, "InversionTime": 2500}, "FLAIR"),
        ({"EchoTime": 15, "RepetitionTime": 2500}, "PD"),
        ({"EchoTime": 50, "RepetitionTime": 1500}, None),
        ({"RepetitionTime": 1500}, None),
    ],
)
def test_the_times_tell_what_no_words_tell(named, a_dicom_file, times, contrast):
    assert guess_contrast(named("head"), a_dicom_file(**times)) == contrast


def test_a_file_that_is_gone_or_no_dicom_tells_nothing(named, tmp_path):
    assert guess_contrast(named("head"), [tmp_path / "gone.dcm"]) is None
    (tmp_path / "text.dcm").write_text("hello")
    assert guess_contrast(named("head"), [tmp_path / "text.dcm"]) is None


def test_each_sample_is_checked_against_the_hash_in_its_address():
    for sample in SAMPLES:
        algorithm, digest = sample["checksums"].split(":")
        assert algorithm == "SHA256" and len(digest) == 64
        assert sample["uris"].startswith("https://") and sample["uris"].endswith(f"SHA256/{digest}")
        assert sample["fileNames"].endswith(".nrrd")


def test_samples_are_registered_in_a_category_of_their_own(monkeypatch, tmp_path):
    # Slicer's module is part of the application only; its registration is called as its documentation says.
    registered = []

    def register_custom(category, sampleName, uris, fileNames, nodeNames, thumbnailFileName, checksums):  # noqa: N803
        registered.append((category, sampleName))

    logic = SimpleNamespace(registerCustomSampleDataSource=register_custom)
    monkeypatch.setitem(sys.modules, "SampleData", SimpleNamespace(SampleDataLogic=logic))
    register(tmp_path)
    assert registered == [(CATEGORY, sample["sampleName"]) for sample in SAMPLES]
