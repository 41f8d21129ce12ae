"""Files from the user's computer, through a real browser: the button, dropping, progress, cancel, what is wrong."""

from __future__ import annotations

import nibabel
import numpy as np
import pytest
from Testing.browser.gateways import wait_for
from Testing.browser.opened_page import opened_page
from Testing.dicom_source import axial_lps_matrix, write_source

SHAPE = (20, 34, 30)


@pytest.fixture(scope="module")
def an_open_page(a_chromium, tmp_path_factory):
    with opened_page(a_chromium, tmp_path_factory.mktemp("files")) as page:
        yield page


@pytest.fixture
def an_array():
    return np.random.default_rng(5).normal(400, 80, SHAPE).astype(np.int16)


def a_scan(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.Nifti1Image(array.T, np.diag([1.0, 1, 1.5, 1])).to_filename(path)
    return path


def chosen(page):
    scans = {each["value"]: each["title"] for each in page.state("ScanState__scans")}
    return scans.get(page.state("ScanState__scan"), "")


def test_a_file_with_a_strange_name_is_opened_and_becomes_the_scan(an_open_page, an_array, tmp_path):
    assert an_open_page.open(a_scan(tmp_path / "Schädel №1 FLAIR%20#.nii.gz", an_array))[0] == "done"
    wait_for(lambda: chosen(an_open_page) == "Schädel №1 FLAIR%20#")
    assert an_open_page.state("ScanState__contrasts")[0]["title"] == "Automatic (FLAIR)"


def test_a_scan_and_its_mask_are_opened_together(an_open_page, an_array, tmp_path):
    mask = np.zeros(SHAPE, np.uint8)
    mask[5:9, 8:14, 9:15] = 1
    files = a_scan(tmp_path / "scan.nii.gz", an_array), a_scan(tmp_path / "seed.nii.gz", mask)
    assert an_open_page.open(*files) == ("done", "Opened: scan, seed")
    wait_for(lambda: chosen(an_open_page) == "scan" and an_open_page.state("ScanState__mask"))


def test_a_dicom_folder_is_opened(an_open_page, an_array, tmp_path):
    write_source(tmp_path / "Köpfe" / "eins", an_array, axial_lps_matrix())
    assert an_open_page.open(tmp_path / "Köpfe", button="DICOM folder…") == ("done", "Opened: 4: FLAIR tra")
    wait_for(lambda: chosen(an_open_page) == "4: FLAIR tra")


def test_a_wrong_file_is_told_in_one_line_and_the_page_lives_on(an_open_page, an_array, tmp_path):
    before = chosen(an_open_page)
    (tmp_path / "paper.pdf").write_bytes(b"%PDF-1.7")
    kind, line = an_open_page.open(tmp_path / "paper.pdf")
    assert kind == "error" and line.startswith("paper.pdf: is no scan; only NIfTI") and "\n" not in line
    assert chosen(an_open_page) == before
    assert an_open_page.open(a_scan(tmp_path / "after.nii", an_array)) == ("done", "Opened: after")


def test_files_can_be_dropped_anywhere(an_open_page, an_array, tmp_path):
    content = list(a_scan(tmp_path / "x.nii.gz", an_array).read_bytes())
    an_open_page.page.evaluate(
        """content => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([new Uint8Array(content)], "dropped.nii.gz"));
            const event = (kind) => new DragEvent(kind, {dataTransfer: transfer, bubbles: true, cancelable: true});
            document.querySelector(".pn-views").dispatchEvent(event("dragenter"));
            window.veil = document.getElementById("pn-drop").style.display;
            document.querySelector(".pn-views").dispatchEvent(event("drop"));
        }""",
        content,
    )
    assert an_open_page.page.evaluate("window.veil") == "flex"
    assert an_open_page.news() == ("done", "Opened: dropped")
    assert an_open_page.page.locator("#pn-drop").evaluate("veil => veil.style.display") == "none"


def test_a_dicom_folder_can_be_dropped(an_open_page, an_array, tmp_path):
    write_source(tmp_path / "Köpfe" / "zwei", an_array, axial_lps_matrix())
    mouse = an_open_page.page.context.new_cdp_session(an_open_page.page)
    held = {"items": [], "files": [str(tmp_path / "Köpfe")], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        mouse.send("Input.dispatchDragEvent", {"type": kind, "x": 700, "y": 300, "data": held})
    kind, line = an_open_page.news()
    assert kind == "done" and line.startswith("Opened: 4: FLAIR tra")  # a second one, if one is open already


def test_a_large_upload_shows_how_far_it_is_and_can_be_cancelled(an_open_page, tmp_path):
    before = chosen(an_open_page)
    large = tmp_path / "large.nii"
    with large.open("wb") as stream:
        stream.truncate(300_000_000)
    with an_open_page.page.expect_file_chooser() as chooser:
        an_open_page.press("Open files…")
    # As slowly as over a network, so that there is something to be seen.
    network = an_open_page.page.context.new_cdp_session(an_open_page.page)
    limits = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 20_000_000}
    network.send("Network.emulateNetworkConditions", limits)
    chooser.value.set_files(str(large))
    an_open_page.until("FilesState__fraction", lambda percent: 0 < (percent or 0) < 100)
    assert "of 300 MB" in an_open_page.state("FilesState__line")
    an_open_page.press("Cancel")
    assert an_open_page.news() == ("done", "Cancelled; nothing was opened")
    network.send("Network.emulateNetworkConditions", limits | {"uploadThroughput": -1})
    assert chosen(an_open_page) == before
