"""The stand-in itself: what the panels' tests rest on."""

from __future__ import annotations

import numpy as np
import pytest


def test_properties_are_attributes_as_in_pythonqt(a_slicer):
    import qt

    box = qt.QComboBox()
    box.addItem("FLAIR", "a")
    box.addItem("T1", "b")
    box.setCurrentIndex(1)
    assert (box.currentIndex, box.currentText, box.count, box.currentData) == (1, "T1", 2, "b")
    box.enabled = False
    assert not box.enabled
    with pytest.raises(TypeError):
        box.currentIndex()


def test_signals_connect_by_attribute_and_by_signature(a_slicer):
    import qt

    heard = []

    def hear(down):
        heard.append(down)

    button = qt.QPushButton("Generate")
    button.clicked.connect(lambda: heard.append("attribute"))
    button.connect("clicked(bool)", hear)
    button.click()
    assert heard == ["attribute", False]


def test_a_node_selector_follows_the_scene(a_desktop):
    import slicer
    from PseudoNormalLib.scene.volumes import new_volume

    selector, heard = slicer.qMRMLNodeComboBox(), []
    selector.nodeTypes = ["vtkMRMLScalarVolumeNode"]
    selector.showChildNodeTypes = False
    selector.setMRMLScene(a_desktop.scene)
    selector.connect("currentNodeChanged(vtkMRMLNode*)", heard.append)
    head = new_volume(a_desktop.scene, "head", np.zeros((2, 3, 4)), np.eye(4))
    a_desktop.scene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode")
    selector.setCurrentNode(head)
    assert selector.currentNode() is head and selector.currentNodeID == head.GetID() and heard == [head]
    a_desktop.scene.RemoveNode(head)
    assert selector.currentNode() is None and heard == [head, None]


def test_the_desktop_host_ticks_by_the_event_loop(a_desktop, until):
    heard = []
    stop = a_desktop.tick(lambda: heard.append(1), 0.01)
    until(lambda: len(heard) >= 3)
    stop()
    count = len(heard)
    with pytest.raises(AssertionError):
        until(lambda: len(heard) > count, seconds=0.2)
    assert a_desktop.name == "desktop"


def test_settings_stay_within_the_test(a_desktop, tmp_path):
    a_desktop.settings.set("PseudoNormal/Engine/Url", "http://127.0.0.1:1")
    assert a_desktop.settings.get("PseudoNormal/Engine/Url") == "http://127.0.0.1:1"
    assert a_desktop.data_folder.is_relative_to(tmp_path)
