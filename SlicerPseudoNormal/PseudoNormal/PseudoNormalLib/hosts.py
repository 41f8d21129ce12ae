"""Where the logic runs: in the 3D Slicer application, without any application, or behind a browser.

Everything that a logic class needs of its surroundings is in a :class:`Host` that is handed to it. :func:`desktop` is
the one place that reaches for the application's own objects.
"""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PseudoNormalLib.dicom_files import remembered_files
from PseudoNormalLib.settings import FolderSettings, SessionSettings, Settings
from PseudoNormalLib.ticks import Stop, Tick, Ticks, asyncio_tick


@dataclass(frozen=True)
class Host:
    """What the surroundings offer.

    :param scene: ``vtkMRMLScene``.
    :param application_logic: ``vtkMRMLApplicationLogic``; has the selection node and the slice logics.
    :param volumes: ``vtkSlicerVolumesLogic``.
    :param segmentations: ``vtkSlicerSegmentationsModuleLogic``.
    :param editor: a ``vtkSlicerSegmentEditorLogic`` of our own.
    :param tick: calls back on the main thread; see :class:`PseudoNormalLib.ticks.Tick`.
    :param temp_folder: for files that may vanish when the session ends.
    :param data_folder: for files that outlive it (engine, logs, journals); made by whoever writes there.
    :param dicom_files: the DICOM files that a volume node was loaded from, none where that is not known.
    :param own_views: all views are ours: a scan is shown as soon as it is chosen.
    """

    name: str
    scene: Any
    application_logic: Any
    volumes: Any
    segmentations: Any
    editor: Any
    tick: Tick
    settings: Settings
    temp_folder: Path
    data_folder: Path
    dicom_files: Callable[[Any], list[Path]]
    own_views: bool = False


def desktop() -> Host:
    """The 3D Slicer application that this process is."""
    import qt
    import slicer

    def tick(callback: Callable[[], None], seconds: float) -> Stop:
        timer = qt.QTimer()
        timer.setInterval(round(1000 * seconds))
        timer.timeout.connect(callback)
        timer.start()
        running.add(timer)

        def stop() -> None:
            timer.stop()
            running.discard(timer)

        return stop

    running: set[Any] = set()  # a timer that nobody holds stops
    application_logic = slicer.app.applicationLogic()
    return Host(
        name="desktop",
        scene=slicer.mrmlScene,
        application_logic=application_logic,
        volumes=slicer.modules.volumes.logic(),
        segmentations=slicer.modules.segmentations.logic(),
        editor=_editor(slicer.mrmlScene, application_logic),
        tick=tick,
        settings=_ApplicationSettings(slicer.app.settings()),
        temp_folder=Path(slicer.app.temporaryPath),
        data_folder=user_data_folder(),
        dicom_files=_files_in_dicom_database,
    )


def headless(data_folder: Path | None = None) -> Host:
    """A scene and its logics in a process without an application; its ``tick`` is a :class:`Ticks`.

    :param data_folder: a temporary one when not given.
    """
    import slicer
    import vtk

    scene = slicer.vtkMRMLScene()
    logic = slicer.vtkSlicerApplicationLogic()
    logic.SetMRMLScene(scene)
    logic.GetColorLogic().SetMRMLScene(scene)
    logic.GetColorLogic().AddDefaultColorNodes()
    logic.SetSliceLogics(vtk.vtkCollection())
    logic.SetViewLogics(vtk.vtkCollection())
    crosshair = slicer.vtkMRMLCrosshairNode()
    crosshair.SetCrosshairName("default")
    scene.AddNode(crosshair)
    slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(scene, True)  # patient right is screen left

    def module(name: str, module_logic: Any) -> Any:
        # In this order: nodes of a module are registered, and its converters made, when its logic gets the scene.
        module_logic.SetMRMLApplicationLogic(logic)
        logic.SetModuleLogic(name, module_logic)
        module_logic.SetMRMLScene(scene)
        return module_logic

    module("Colors", logic.GetColorLogic())  # the volumes logic looks for it by this name
    volumes = module("Volumes", slicer.vtkSlicerVolumesLogic())
    segmentations = module("Segmentations", slicer.vtkSlicerSegmentationsModuleLogic())
    temp_folder = _vanishing_folder()
    return Host(
        name="headless",
        scene=scene,
        application_logic=logic,
        volumes=volumes,
        segmentations=segmentations,
        editor=_editor(scene, logic),
        tick=Ticks(),
        settings=SessionSettings(),
        temp_folder=temp_folder,
        data_folder=data_folder or temp_folder / "data",
        dicom_files=_not_known,
    )


def browser(
    app: Any, *, data_folder: Path | None = None, given: Mapping[str, str] | None = None, tick: Tick = asyncio_tick
) -> Host:
    """The server behind a browser; what it is asked to do, it does on asyncio's loop.

    :param app: trame-slicer's ``SlicerApp``.
    :param data_folder: by default the user's; settings are kept there too, for all windows.
    :param given: settings that hold for this session only, such as where the engine is.
    :param tick: one that calls back on asyncio's loop.
    """
    data_folder = data_folder or user_data_folder()
    return Host(
        name="browser",
        scene=app.scene,
        application_logic=app.app_logic,
        volumes=app.volumes_logic,
        segmentations=app.segmentations_logic,
        editor=_editor(app.scene, app.app_logic),
        tick=tick,
        settings=FolderSettings(data_folder / "settings", given),
        temp_folder=_vanishing_folder(),
        data_folder=data_folder,
        dicom_files=remembered_files,
        own_views=True,
    )


class _ApplicationSettings:
    """The application's ``QSettings``."""

    def __init__(self, settings: Any) -> None:
        self._settings = settings

    def get(self, key: str, default: str = "") -> str:
        value = self._settings.value(key, default)
        return default if value is None else str(value)

    def set(self, key: str, value: str) -> None:
        self._settings.setValue(key, value)

    def remove(self, key: str) -> None:
        self._settings.remove(key)


def user_data_folder() -> Path:
    """The user's folder for data of ours on this machine; an engine's environment is too large to roam."""
    if os.name == "nt":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return base / "PseudoNormal"


def _editor(scene: Any, application_logic: Any) -> Any:
    import slicer

    editor = slicer.vtkSlicerSegmentEditorLogic()
    editor.SetMRMLApplicationLogic(application_logic)
    editor.SetMRMLScene(scene)
    return editor


def _vanishing_folder() -> Path:
    folder = tempfile.mkdtemp(prefix="PseudoNormal-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def _not_known(_volume: Any) -> list[Path]:
    return []


def _files_in_dicom_database(volume: Any) -> list[Path]:
    """The files that the application's DICOM database has for a volume node, in the order of its instances."""
    import slicer

    database = getattr(slicer, "dicomDatabase", None)
    instances = (volume.GetAttribute("DICOM.instanceUIDs") or "").split()
    if database is None or not instances:
        return []
    files = [Path(database.fileForInstance(instance) or "") for instance in instances]
    return files if all(file.is_file() for file in files) else []
