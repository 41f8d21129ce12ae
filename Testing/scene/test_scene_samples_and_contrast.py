"""The samples that are offered, and what is told of a scan's contrast."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import numpy as np
import pydicom
import pytest
from PseudoNormalLib.contrast import CONTRASTS, guess_contrast
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
        ("3: AX T2 FLAIR", "flair"),
        ("sub-01_FLAIR", "flair"),
        ("t2_tirm_tra_dark-fluid", "flair"),
        ("T1W", "t1"),
        ("sub-12_T1w", "t1"),
        ("5: t1_mprage_sag_p2_iso", "t1"),
        ("SAG MPRAGE", "t1"),
        ("T1 post Gd", "t1c"),
        ("T1c", "t1c"),
        ("BRATS_t1ce", "t1c"),
        ("AX T1 +C", "t1c"),
        ("POST AX T1", "t1c"),
        ("t1_cor", "t1"),
        ("T1 coronal", "t1"),
        ("t2_tse_tra", "t2"),
        ("T2*", "other"),
        ("Ax T2 Star GRE", "other"),
        ("ep2d_diff_ADC", "other"),
        ("DWI b1000", "dwi"),
        ("PD axial", "pd"),
        ("head", None),
        ("patient07", None),
        ("pdf of something", None),
    ],
)
def test_the_contrast_is_told_from_the_name(named, name, contrast):
    assert guess_contrast(named(name)) == contrast


def test_the_description_of_the_series_tells_what_the_name_does_not(named, a_dicom_file):
    assert guess_contrast(named("head"), a_dicom_file(SeriesDescription="ax_flair_3mm")) == "flair"
    assert guess_contrast(named("T1"), a_dicom_file(SeriesDescription="ax_flair_3mm")) == "t1"


@pytest.mark.parametrize(
    ("times", "contrast"),
    [
        ({"EchoTime": 12, "RepetitionTime": 500}, "t1"),
        ({"EchoTime": 12, "RepetitionTime": 500, "ContrastBolusAgent": "Gadovist"}, "t1c"),
        ({"EchoTime": 3, "RepetitionTime": 2300, "InversionTime": 900}, "t1"),
        ({"EchoTime": 100, "RepetitionTime": 4500}, "t2"),
        ({"EchoTime": 120, "RepetitionTime": 9000, "InversionTime": 2500}, "flair"),
        ({"EchoTime": 15, "RepetitionTime": 2500}, "pd"),
        ({"EchoTime": 50, "RepetitionTime": 1500}, None),
        ({"RepetitionTime": 1500}, None),
    ],
)
def test_the_times_tell_what_no_words_tell(named, a_dicom_file, times, contrast):
    assert guess_contrast(named("head"), a_dicom_file(**times)) == contrast


def test_every_contrast_is_one_that_the_engine_knows(named):
    contrast = pytest.importorskip("pseudonormal.scan.contrast", reason="the engine is not installed here")
    assert list(CONTRASTS) == list(contrast.IN_WORDS)
    assert guess_contrast(named("ep2d_diff_ADC")) in CONTRASTS


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
