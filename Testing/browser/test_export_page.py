"""From a DICOM folder to files on the user's computer, through a real browser."""

from __future__ import annotations

import sys
import zipfile

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from Testing.browser.gateways import wait_for
from Testing.browser.opened_page import opened_page
from Testing.dicom_source import axial_lps_matrix, write_source

ENGINE = (sys.executable, "-m", "pseudonormal")
SECTION = "Report and export"
CASE = "4_ FLAIR tra"
"""What file systems take of the series' name."""


@pytest.fixture(scope="module")
def a_series(a_head, tmp_path_factory):
    """The small head as a scanner would have sent it."""
    folder = tmp_path_factory.mktemp("dicom") / "Köpfe"
    write_source(folder, a_head.array[::2], axial_lps_matrix((1.0, 1.0, 2.0)))
    return folder


@pytest.fixture(scope="module")
def a_finished_page(a_chromium, a_series, models_folder, tmp_path_factory):
    """A page with the series' pseudo-normal."""
    known = {"PSEUDONORMAL_MODELS": str(models_folder)}
    with opened_page(a_chromium, tmp_path_factory.mktemp("user"), engine=ENGINE, environment=known) as page:
        assert "generate a pseudo-normal first" in page.until("ExportState__obstacle")
        assert page.open(a_series, button="DICOM folder…")[0] == "done"
        page.until("GenerateState__reason", lambda reason: not reason)
        page.press("Generate the pseudo-normal")
        page.until("GenerateState__message", lambda message: message == "Done")
        page.until("ExportState__obstacle", lambda reason: not reason)
        yield page


def taken(page, title, tmp_path):
    """What the browser saves of a format, in a folder of ours."""
    page.unfold(SECTION)
    page.choose("What", title)
    page.unfold(SECTION)
    wait_for(lambda: not page.state("ExportState__writing"))
    download = page.download(lambda: page.press("Download"))
    path = tmp_path / download.suggested_filename
    download.save_as(path)
    return path


def test_all_results_come_as_a_zip_file(a_finished_page, tmp_path, a_head):
    path = taken(a_finished_page, "All results", tmp_path)
    assert path.name == f"{CASE} folder.zip"
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path)
    folder = tmp_path / f"{CASE} folder"
    names = {"pseudo_normal.nii.gz", "difference.nii.gz", "difference_z.nii.gz", "lesion_mask.nii.gz",
             "lesion.seg.nrrd", "report.json", "report.html"}  # fmt: skip
    assert {each.name for each in folder.iterdir()} == names
    scan = a_head.array[::2]
    made = sitk.GetArrayFromImage(sitk.ReadImage(str(folder / "pseudo_normal.nii.gz")))
    mask = sitk.GetArrayFromImage(sitk.ReadImage(str(folder / "lesion_mask.nii.gz"))) > 0
    assert mask.any() and np.array_equal(made[~mask], scan[~mask]) and not np.array_equal(made[mask], scan[mask])


def test_the_mask_comes_as_dicom_seg_of_the_series(a_finished_page, a_series, tmp_path):
    path = taken(a_finished_page, "DICOM SEG", tmp_path)
    assert path.name == f"{CASE} dicom seg.dcm"
    segmentation = pydicom.dcmread(path)
    source = pydicom.dcmread(next(iter(a_series.iterdir())))
    assert segmentation.Modality == "SEG" and segmentation.PatientID == source.PatientID
    assert segmentation.FrameOfReferenceUID == source.FrameOfReferenceUID


def test_everything_holds_results_and_dicom(a_finished_page, tmp_path):
    path = taken(a_finished_page, "Everything of this case", tmp_path)
    with zipfile.ZipFile(path) as archive:
        names = {name.split("/")[1] for name in archive.namelist()}
    assert names == {"results", "lesion mask.dcm", "pseudo-normal DICOM", "difference DICOM"}


def test_a_file_comes_as_it_is_and_can_be_taken_again_by_the_link(a_finished_page, tmp_path):
    path = taken(a_finished_page, ".seg.nrrd", tmp_path)
    assert path.name == f"{CASE} segmentation.seg.nrrd" and sitk.ReadImage(str(path)).GetSize()[0] > 0
    again = a_finished_page.download(lambda: a_finished_page.page.locator("a.pn-link").click())
    again.save_as(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == path.read_bytes()


def test_the_report_opens_in_a_page_of_its_own(a_finished_page):
    a_finished_page.unfold(SECTION)
    with a_finished_page.page.expect_popup() as popup:
        a_finished_page.press("Open the report")
    popup.value.wait_for_load_state()
    assert "not a medical device" in popup.value.content()
    popup.value.close()
