"""The radiologist's panel with a real engine: choose, generate, walk, compare, cancel, and what it says when not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from Testing.panels.event_loop import LongestGap

LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


@pytest.fixture(scope="module")
def a_sent_volume(a_head):
    """The head as it is sent; its lesion is 0.7 ml."""
    from PseudoNormalLib.engine.transfer import Volume

    matrix = np.eye(4)
    matrix[:3, 3] = a_head.geometry.origin
    return Volume(a_head.array, LPS @ matrix)


@pytest.fixture
def a_scan(a_desktop, a_sent_volume):
    """The head as a volume node."""
    from PseudoNormalLib.scene.volumes import new_volume

    return new_volume(a_desktop.scene, "head", a_sent_volume.array, a_sent_volume.ijk_to_ras)


@pytest.fixture(scope="module")
def a_result(an_engine, a_sent_volume):
    """What the engine makes of the head; once for all tests that need any result."""
    from PseudoNormalLib.engine.background import Background
    from PseudoNormalLib.engine.client import EngineClient
    from PseudoNormalLib.engine.jobs import EngineJobs
    from PseudoNormalLib.ticks import Ticks

    ticks, results = Ticks(), []
    jobs = EngineJobs(Background(ticks), lambda: EngineClient(an_engine.url, an_engine.token))
    jobs.generate(a_sent_volume, on_done=results.append, on_failed=results.append)
    assert ticks.run_until(lambda: results, 120)
    return results[0]


@pytest.fixture
def generated(connected, a_bench, a_scan, a_result):
    """The panel with a result, as Generate leaves it."""
    from PseudoNormalLib.scene.results import Sent, place_results

    connected.scan.image_selector.setCurrentNode(a_scan)
    a_bench.generate.generated = a_result
    a_bench.generate.finished.emit(place_results(a_bench.host, a_scan, Sent.of(a_scan), a_result))
    return connected


def test_without_an_engine_generate_cannot_be_pressed_and_says_why(a_panel, a_scan):
    a_panel.scan.image_selector.setCurrentNode(a_scan)
    button = a_panel.generate.generate_button
    assert not button.enabled
    assert button.toolTip == "There is no engine on this computer yet: set it up first"


def test_without_a_scan_generate_cannot_be_pressed_and_says_why(connected):
    button = connected.generate.generate_button
    assert not button.enabled and button.toolTip == "Choose a scan first"


def test_one_click_brings_findings_and_the_comparison_without_blocking(
    connected, a_bench, a_scan, until, record_testsuite_property
):

    connected.scan.image_selector.setCurrentNode(a_scan)
    assert connected.generate.generate_button.enabled
    heard = []
    connected.generate.progress.bar.valueChanged.connect(heard.append)
    gap = LongestGap()
    connected.generate.generate_button.click()
    assert not connected.generate.generate_button.enabled
    until(lambda: connected.generate.progress.message.text == "Done", seconds=60)
    gap.stop()
    record_testsuite_property("longest gap of the event loop, ms", round(1000 * gap.longest))
    assert gap.busiest < 0.1 and gap.longest < 2  # alone on a machine the gap too is under 0.1 s
    assert len(set(heard)) > 2 and heard == sorted(heard)
    assert connected.generate.progress.log.plainText
    assert connected.findings.table.widget.rowCount == 1
    assert connected.findings.summary.text.startswith("1 found, 0.")
    assert a_bench.comparison.case.image is a_scan
    assert connected.generate.generate_button.enabled


def test_a_click_on_a_finding_moves_all_views_to_it(generated, a_bench, a_head):
    from PseudoNormalLib.scene.layout import slice_nodes

    generated.comparison.grid_button.click()
    generated.findings.table.widget.cellClicked.emit(0, 1)
    centre = np.argwhere(a_head.lesion).mean(axis=0)[::-1] + a_head.geometry.origin
    views = slice_nodes(a_bench.host.scene)
    assert len(views) == 9
    for view in views:
        to_slice = np.linalg.inv(elements(view.GetSliceToRAS()))
        assert abs((to_slice @ [*(LPS[:3, :3] @ centre), 1.0])[2]) < 1.0  # mm off the slice


def elements(matrix):
    return np.array([[matrix.GetElement(row, column) for column in range(4)] for row in range(4)])


def test_sliders_set_the_overlay_and_follow_it(generated, a_bench):
    generated.comparison.threshold.value = 3.5
    generated.comparison.opacity.value = 0.4
    generated.comparison.overlay_check.click()
    overlay = a_bench.comparison.overlay
    assert (overlay.threshold, overlay.opacity, overlay.visible) == (3.5, 0.4, False)
    a_bench.comparison.set_overlay(threshold=2.0, visible=True)
    assert generated.comparison.threshold.value == 2.0 and generated.comparison.overlay_check.checked


def test_the_flicker_key_holds_only_while_the_panel_is_shown(generated, a_bench, a_main_window):
    import qt

    keys = {shortcut.key.toString() for shortcut in a_main_window.findChildren(qt.QShortcut)}
    assert {"F", "N", "P"} <= keys
    press(a_main_window, "F")
    assert a_bench.flicker.showing == "pseudo_normal"
    assert generated.comparison.flicker_button.text == "Flicker (F): pseudo-normal"
    generated.leave()
    assert a_bench.flicker.showing == "image"
    press(a_main_window, "F")
    assert a_bench.flicker.showing == "image"
    assert a_main_window.findChildren(qt.QShortcut) == []


def press(window, key):
    import qt

    for shortcut in window.findChildren(qt.QShortcut):
        if shortcut.key.toString() == key and shortcut.enabled:
            shortcut.activated.emit()


def test_the_surface_is_shown_and_hidden_again(generated, a_bench):
    display = a_bench.comparison.case.lesions.GetDisplayNode()
    generated.comparison.surface_check.checked = True
    assert display.GetVisibility3D() and a_bench.comparison.case.lesions.GetClosedSurfaceInternalRepresentation(
        "lesion"
    )
    generated.comparison.surface_check.checked = False
    assert not display.GetVisibility3D()


def test_cancel_leaves_the_scene_as_it_was(connected, a_bench, a_scan, until):
    connected.scan.image_selector.setCurrentNode(a_scan)
    before = a_bench.host.scene.GetNumberOfNodes()
    connected.generate.generate_button.click()
    until(lambda: connected.generate.progress.bar.value > 0)
    connected.generate.progress.cancel_button.click()
    assert not connected.generate.progress.cancel_button.enabled
    until(lambda: connected.generate.progress.message.text.startswith("Cancelled"), seconds=20)
    assert a_bench.host.scene.GetNumberOfNodes() == before
    assert connected.generate.generate_button.enabled
    assert connected.findings.table.widget.rowCount == 0


def test_a_wrong_key_is_said_in_one_line(connected, an_engine, a_scan, until):
    connected.engine.server.key_edit.text = "wrong"
    connected.engine.server.test_button.click()
    until(lambda: connected.engine.server.answer.text != "Asking…")
    assert one_line(connected.engine.server.answer.text)
    connected.engine.server.key_edit.editingFinished.emit()
    connected.scan.image_selector.setCurrentNode(a_scan)
    connected.generate.generate_button.click()
    until(lambda: not connected.generate.progress.cancel_button.enabled)
    assert one_line(connected.generate.progress.message.text)
    assert connected.generate.generate_button.enabled


def one_line(text):
    return text and "\n" not in text and "Traceback" not in text


def test_the_server_is_tested_before_it_is_used(connected, until):
    connected.engine.server.test_button.click()
    until(lambda: connected.engine.server.answer.text != "Asking…")
    assert "answers" in connected.engine.server.answer.text


def test_choices_come_back_with_the_scene(connected, a_bench, a_scan):
    connected.scan.image_selector.setCurrentNode(a_scan)
    connected.scan.mode_combo.setCurrentIndex(1)
    connected.scan.texture_check.checked = True
    assert a_bench.choices.values == replace(a_bench.choices.values, image=a_scan, mode="void", texture=True)
    a_bench.choices.update(mode="guided", image=None)
    assert connected.scan.mode_combo.currentData == "guided" and connected.scan.image_selector.currentNode() is None


def test_the_contrast_is_told_from_the_name_and_can_be_said_otherwise(connected, a_bench, a_scan):
    combo = connected.scan.contrast_combo
    a_scan.SetName("ax FLAIR")
    connected.scan.image_selector.setCurrentNode(a_scan)
    assert (combo.itemText(0), combo.currentData) == ("Automatic (FLAIR)", "")
    assert a_bench.choices.values.request(a_bench.host).contrast == "flair"
    combo.setCurrentIndex(combo.findData("t1c"))
    assert a_bench.choices.values.contrast == "t1c"
    assert a_bench.choices.values.request(a_bench.host).contrast == "t1c"
    assert "numbers do not depend on it" in combo.toolTip


def test_what_was_said_of_one_scans_contrast_is_not_taken_for_anothers(connected, a_bench, a_scan):
    from PseudoNormalLib.scene.volumes import new_volume_like

    combo = connected.scan.contrast_combo
    connected.scan.image_selector.setCurrentNode(a_scan)
    assert combo.itemText(0) == "Automatic (not known)"
    combo.setCurrentIndex(combo.findData("dwi"))
    other = new_volume_like(a_scan, "t2_tse", np.zeros((64, 66, 62), np.int16))
    connected.scan.image_selector.setCurrentNode(other)
    assert (combo.itemText(0), combo.currentData, a_bench.choices.values.contrast) == ("Automatic (T2)", "", "")


def test_a_model_that_was_not_trained_for_the_contrast_is_doubted(connected, a_scan):
    from PseudoNormalLib.engine.replies import ModelInfo

    scan = connected.scan
    trained = ModelInfo("brain-mr", "2", "Finds lesions", default=True, trained_contrasts=("flair",))
    scan.offer_models([trained])
    scan.image_selector.setCurrentNode(a_scan)
    assert scan.model_note.text == "Finds lesions"
    scan.contrast_combo.setCurrentIndex(scan.contrast_combo.findData("dwi"))
    assert "not trained for this contrast: a model that was is taken" in scan.model_note.text
    scan.model_combo.setCurrentIndex(1)
    assert scan.model_note.text.endswith("look at its findings with more doubt.")


def test_a_result_is_sent_to_review_once(generated, a_bench, until):
    from PseudoNormalLib.scene.case_nodes import stored_as

    findings = generated.findings
    assert findings.send_button.enabled
    findings.send_button.click()
    assert not findings.send_button.enabled
    until(lambda: findings.sent_note.text, seconds=60)
    name = stored_as(a_bench.comparison.case)
    assert findings.sent_note.text == f"Sent to review as {name}"
    assert not findings.send_button.enabled and name in findings.send_button.toolTip
    assert a_bench.connection.client().case(name).info.status == "new"


def test_without_a_store_nothing_can_be_sent_and_it_is_said_why(generated, a_bench):
    a_bench.handover.served = False
    generated.findings.show(a_bench.comparison.case)
    assert not generated.findings.send_button.enabled
    assert generated.findings.send_button.toolTip == "The engine serves no case store"
    assert not generated.findings.sent_note.visible


def test_generate_again_takes_the_mask_as_it_was_edited(generated, a_bench, a_scan, a_head, until):
    from PseudoNormalLib.scene.lesions import mask_of, set_mask

    case = a_bench.comparison.case
    mask = mask_of(case.lesions, a_scan)
    mask[20:24, 40:46, 20:26] = True
    set_mask(case.lesions, a_scan, mask)
    generated.findings.again_button.click()
    until(lambda: not generated.generate.progress.cancel_button.enabled, seconds=60)
    assert generated.findings.table.widget.rowCount == 2
    np.testing.assert_array_equal(mask_of(a_bench.comparison.case.lesions, a_scan), mask)


def test_the_report_and_an_export_are_written(generated, a_bench, tmp_path, until):
    from PseudoNormalLib.report import kept_page

    assert generated.export.report_button.enabled
    assert "<html" in kept_page(a_bench.host, a_bench.comparison.case).read_text(encoding="utf-8")
    generated.export.folder_edit.currentPath = str(tmp_path / "für Lékař")
    generated.export.export_button.click()
    until(lambda: generated.export.message.text != "Writing…")
    assert generated.export.message.text.startswith("Written: ")
    assert (tmp_path / "für Lékař" / "head folder" / "pseudo_normal.nii.gz").is_file()


def test_dicom_export_says_why_it_is_not_offered(generated):
    combo = generated.export.format_combo
    combo.setCurrentIndex(combo.findData("dicom_seg"))
    assert not generated.export.export_button.enabled
    assert "DICOM" in generated.export.export_button.toolTip


def test_findings_follow_the_scan_that_is_chosen(generated, a_bench, a_scan):
    from PseudoNormalLib.scene.volumes import new_volume_like

    other = new_volume_like(a_scan, "other", np.zeros((64, 66, 62), np.int16))
    generated.scan.image_selector.setCurrentNode(other)
    assert generated.findings.table.widget.rowCount == 0 and a_bench.comparison.case is None
    generated.scan.image_selector.setCurrentNode(a_scan)
    assert generated.findings.table.widget.rowCount == 1 and a_bench.comparison.case.image is a_scan
