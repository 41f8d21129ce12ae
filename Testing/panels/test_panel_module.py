"""The module file itself: what Slicer loads, opens, leaves and tests."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest


@pytest.fixture
def a_module(a_slicer):
    """The module file as Slicer imports it."""
    import PseudoNormal

    return PseudoNormal


@pytest.fixture
def an_open_module(a_module):
    """The module's page after the user opened it."""
    widget = a_module.PseudoNormalWidget()
    widget.setup()
    widget.enter()
    yield widget
    widget.cleanup()


def test_the_module_describes_itself_and_registers_its_samples_at_startup(a_module, a_slicer, monkeypatch):
    import PseudoNormalLib.samples

    folders = []
    monkeypatch.setattr(PseudoNormalLib.samples, "register", folders.append)
    parent = SimpleNamespace()
    a_module.PseudoNormal(parent)
    assert parent.title == "PseudoNormal" and parent.categories == ["Image Synthesis"]
    assert "not a medical device" in parent.helpText
    assert folders == []
    a_slicer.application.startupCompleted.emit()
    assert (folders[0] / "PseudoNormal.png").is_file()


def test_the_modules_own_test_passes(a_module):
    a_module.PseudoNormalTest().runTest()


def test_keys_come_with_the_module_and_go_with_it(an_open_module, a_main_window):
    import qt

    assert len(a_main_window.findChildren(qt.QShortcut)) == 3
    an_open_module.exit()
    assert a_main_window.findChildren(qt.QShortcut) == []


def test_the_scan_that_is_in_view_is_offered(an_open_module, a_desktop):
    from PseudoNormalLib.scene.volumes import new_volume

    scan = new_volume(a_desktop.scene, "t2_flair_tra", np.zeros((3, 4, 5), np.int16), np.eye(4))
    a_desktop.application_logic.GetSelectionNode().SetActiveVolumeID(scan.GetID())
    an_open_module.exit()
    an_open_module.enter()
    assert an_open_module.panel.scan.image_selector.currentNode() is scan
    assert an_open_module.panel.scan.contrast_combo.currentText == "Automatic (FLAIR)"


def test_nothing_is_installed_until_it_is_asked_for(an_open_module, a_slicer):
    assert a_slicer.packaging.ensured == []
    assert not an_open_module.logic.bench.setup.running


def test_closing_the_scene_empties_the_panel(an_open_module, a_desktop):
    from PseudoNormalLib.scene.volumes import new_volume

    scan = new_volume(a_desktop.scene, "scan", np.zeros((3, 4, 5), np.int16), np.eye(4))
    an_open_module.panel.scan.image_selector.setCurrentNode(scan)
    a_desktop.scene.Clear(0)
    assert an_open_module.panel.scan.image_selector.currentNode() is None
    assert an_open_module.logic.bench.choices.values.image is None
    an_open_module.panel.scan.image_selector.setCurrentNode(
        new_volume(a_desktop.scene, "next", np.zeros((3, 4, 5), np.int16), np.eye(4))
    )
    assert an_open_module.logic.bench.choices.values.image.GetName() == "next"
