"""The three hosts: the same scene logic works in each of them."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import slicer
import vtk
from PseudoNormalLib.hosts import browser, desktop, headless, user_data_folder
from PseudoNormalLib.ticks import Ticks, asyncio_tick
from vtk.util.numpy_support import numpy_to_vtk, vtk_to_numpy


class KeptSettings:
    """What the desktop's QSettings does, as far as it is asked to."""

    def __init__(self):
        self.kept = {}

    def value(self, key, default=None):
        return self.kept.get(key, default)

    def setValue(self, key, value):  # noqa: N802 - Qt's name
        self.kept[key] = value

    def remove(self, key):
        self.kept.pop(key, None)


@pytest.fixture
def a_desktop(monkeypatch, tmp_path):
    """The desktop's factory over the parts of a headless host and Qt's own timer."""
    from PySide6.QtCore import QCoreApplication, QTimer

    parts = headless()
    application = QCoreApplication.instance() or QCoreApplication([])
    settings = KeptSettings()
    app = SimpleNamespace(
        applicationLogic=lambda: parts.application_logic,
        settings=lambda: settings,
        temporaryPath=str(tmp_path),
        processEvents=application.processEvents,
    )
    modules = SimpleNamespace(
        volumes=SimpleNamespace(logic=lambda: parts.volumes),
        segmentations=SimpleNamespace(logic=lambda: parts.segmentations),
    )
    monkeypatch.setitem(sys.modules, "qt", SimpleNamespace(QTimer=QTimer))
    for name, value in {"app": app, "modules": modules, "mrmlScene": parts.scene}.items():
        monkeypatch.setattr(slicer, name, value, raising=False)
    return desktop()


@pytest.fixture
def a_browser(tmp_path):
    """Over trame-slicer's application where it goes with the slicer-core that is installed, else over its likeness."""
    try:
        from trame_slicer.core import SlicerApp
    except ImportError:
        parts = headless()
        return browser(
            SimpleNamespace(
                scene=parts.scene,
                app_logic=parts.application_logic,
                volumes_logic=parts.volumes,
                segmentations_logic=parts.segmentations,
            ),
            data_folder=tmp_path,
        )
    return browser(SlicerApp(), data_folder=tmp_path)


@pytest.fixture(params=["headless", "browser", "desktop"])
def a_host(request):
    return headless() if request.param == "headless" else request.getfixturevalue(f"a_{request.param}")


def image_of(array):
    image = vtk.vtkImageData()
    image.SetDimensions(array.shape[::-1])
    image.GetPointData().SetScalars(numpy_to_vtk(array.ravel(), deep=True))
    return image


def a_lesion(host, volume):
    """A segmentation with one segment: the brightest voxels."""
    segmentation = host.scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    segmentation.CreateDefaultDisplayNodes()
    segmentation.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    segment = segmentation.GetSegmentation().AddEmptySegment("lesion")
    labels = slicer.vtkOrientedImageData()
    labels.DeepCopy(image_of((voxels(volume) > 50).astype(np.uint8)))
    host.segmentations.SetBinaryLabelmapToSegment(labels, segmentation, segment)
    return segmentation, segment


def a_scan(host):
    volume = host.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "scan")
    volume.SetAndObserveImageData(image_of(np.arange(4 * 5 * 6, dtype=np.int16).reshape(4, 5, 6)))
    return volume


def voxels(volume):
    image = volume.GetImageData()
    return vtk_to_numpy(image.GetPointData().GetScalars()).reshape(image.GetDimensions()[::-1])


def test_volumes_are_cloned_with_their_voxels(a_host):
    volume = a_scan(a_host)
    copy = a_host.volumes.CloneVolume(a_host.scene, volume, "copy")
    assert np.array_equal(voxels(copy), voxels(volume))


def test_volumes_are_loaded_from_files_in_a_folder_of_any_name(a_host, tmp_path, capfd):
    folder = tmp_path / "Größe Ω"
    folder.mkdir()
    volume = a_scan(a_host)
    storage = slicer.vtkMRMLVolumeArchetypeStorageNode()
    storage.SetFileName(str(folder / "scan.nrrd"))
    assert storage.WriteData(volume)
    loaded = a_host.volumes.AddArchetypeScalarVolume(str(folder / "scan.nrrd"), "loaded", 0, None)
    assert np.array_equal(voxels(loaded), voxels(volume))
    assert "rror" not in capfd.readouterr().err


def test_a_segment_becomes_a_surface(a_host):
    segmentation, segment = a_lesion(a_host, a_scan(a_host))
    assert segmentation.CreateClosedSurfaceRepresentation()
    surface = vtk.vtkPolyData()
    assert segmentation.GetClosedSurfaceRepresentation(segment, surface)
    assert surface.GetNumberOfPoints() > 0


def test_the_editor_edits_undoes_and_redoes_to_the_voxel(a_host):
    volume = a_scan(a_host)
    segmentation, segment = a_lesion(a_host, volume)
    a_host.editor.SetSegmentEditorNode(a_host.scene.AddNewNodeByClass("vtkMRMLSegmentEditorNode"))
    a_host.editor.SetSegmentationNode(segmentation)
    a_host.editor.SetSourceVolumeNode(volume)
    a_host.editor.SetCurrentSegmentID(segment)

    def count():
        labels = slicer.vtkOrientedImageData()
        segmentation.GetBinaryLabelmapRepresentation(segment, labels)
        return int((vtk_to_numpy(labels.GetPointData().GetScalars()) > 0).sum())

    before = count()
    a_host.editor.UpdateReferenceGeometryImage()
    a_host.editor.ResetModifierLabelmapToDefault()
    modifier = a_host.editor.GetModifierLabelmap()
    vtk_to_numpy(modifier.GetPointData().GetScalars())[:7] = 1
    a_host.editor.SaveStateForUndo()
    a_host.editor.ModifySegmentByLabelmap(
        segmentation, segment, modifier, slicer.vtkSlicerSegmentEditorLogic.ModificationModeAdd, False, False
    )
    assert count() == before + 7
    a_host.editor.Undo()
    assert count() == before
    a_host.editor.Redo()
    assert count() == before + 7


def test_settings_are_kept_until_they_are_removed(a_host):
    a_host.settings.set("PseudoNormal/Engine/Url", "http://somewhere")
    assert a_host.settings.get("PseudoNormal/Engine/Url") == "http://somewhere"
    a_host.settings.remove("PseudoNormal/Engine/Url")
    assert a_host.settings.get("PseudoNormal/Engine/Url", "none") == "none"


def test_the_temporary_folder_can_be_written(a_host):
    (a_host.temp_folder / "file").write_text("x")


def test_a_headless_host_keeps_its_data_apart_from_the_users(tmp_path):
    assert not headless().data_folder.is_relative_to(user_data_folder())
    assert headless(tmp_path).data_folder == tmp_path


def test_two_headless_hosts_share_nothing():
    one, other = headless(), headless()
    a_scan(one)
    assert other.scene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode") == 0


def test_ticks_come_until_they_are_stopped():
    ticks, times = Ticks(), []
    stop = ticks(lambda: times.append(time.monotonic()), 0.01)
    assert ticks.run_until(lambda: len(times) == 3, 10)
    assert times[2] - times[0] >= 0.02
    stop()
    assert not ticks.run_until(lambda: len(times) > 3, 0.1)


def test_waiting_ends_when_the_time_is_over():
    assert not Ticks().run_until(lambda: False, 0.05)


def test_ticks_of_a_browser_come_on_its_loop_until_they_are_stopped():
    times = []

    async def session():
        stop = asyncio_tick(lambda: times.append(time.monotonic()), 0.01)
        while len(times) < 3:
            await asyncio.sleep(0.005)
        stop()
        await asyncio.sleep(0.05)

    asyncio.run(session())
    assert len(times) == 3


def test_ticks_of_the_desktop_come_from_its_event_loop_until_they_are_stopped(a_desktop):
    times = []
    stop = a_desktop.tick(lambda: times.append(time.monotonic()), 0.01)
    end = time.monotonic() + 10
    while len(times) < 3 and time.monotonic() < end:
        slicer.app.processEvents()
    stop()
    for _ in range(20):
        time.sleep(0.005)
        slicer.app.processEvents()
    assert len(times) == 3


def test_the_desktop_finds_the_dicom_files_of_a_volume(a_desktop, monkeypatch, tmp_path):
    files = {"1.2": tmp_path / "a.dcm", "1.3": tmp_path / "b.dcm"}
    for file in files.values():
        file.write_bytes(b"DICM")
    database = SimpleNamespace(fileForInstance=lambda uid: str(files.get(uid, "")))
    monkeypatch.setattr(slicer, "dicomDatabase", database, raising=False)
    volume = a_scan(a_desktop)
    assert a_desktop.dicom_files(volume) == []
    volume.SetAttribute("DICOM.instanceUIDs", "1.3 1.2")
    assert a_desktop.dicom_files(volume) == [files["1.3"], files["1.2"]]
    volume.SetAttribute("DICOM.instanceUIDs", "1.3 1.4")
    assert a_desktop.dicom_files(volume) == []


@pytest.mark.parametrize(
    ("system", "variable", "expected"),
    [("linux", "XDG_DATA_HOME", "PseudoNormal"), ("darwin", "HOME", "Library/Application Support/PseudoNormal")],
)
def test_lasting_data_lie_where_the_system_wants_them(system, variable, expected, monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setenv(variable, str(tmp_path))
    assert user_data_folder() == tmp_path / Path(expected)
