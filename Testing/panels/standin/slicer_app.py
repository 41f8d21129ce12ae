"""What the full application adds to slicer-core: ``slicer.app``, ``slicer.modules``, the main window, packaging.

``install`` puts it all where Python finds it, for one test; ``pytest.MonkeyPatch`` takes it away again.
"""
# ruff: noqa: N802, N815 - Slicer's names

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import slicer
import slicer.util
from PySide6 import QtCore
from Testing.panels.standin import ctk, mrml_widgets, plot_view, qt, scripted_module


class Application(qt.QObject):
    """``slicer.app``: what of it the extension asks for."""

    startupCompleted = QtCore.Signal()

    def __init__(self, host, folder: Path):
        super().__init__()
        self.host = host
        self.temporaryPath = str(folder)
        self.layout_manager = None

    def processEvents(self):
        qt.QApplication.processEvents()

    def settings(self):
        return qt.QSettings()

    def applicationLogic(self):
        return self.host.application_logic

    def testingEnabled(self):
        return True

    def layoutManager(self):
        return self.layout_manager


class Packaging(ModuleType):
    """``slicer.packaging``: records what was to be installed, installs nothing."""

    def __init__(self):
        super().__init__("slicer.packaging")
        self.ensured: list[tuple[list[str], str]] = []

    def load_requirements(self, path):
        lines = Path(path).read_text(encoding="utf-8").splitlines()
        return [line.strip() for line in lines if line.strip() and not line.startswith(("#", "-"))]

    def pip_ensure(self, requirements, requester=""):
        self.ensured.append((list(requirements), requester))


def named(name: str, **content) -> ModuleType:
    module = ModuleType(name)
    module.__dict__.update(content)
    return module


def install(monkeypatch, host, folder: Path) -> SimpleNamespace:
    """Make this process look like Slicer with the given scene and logics.

    :returns: ``application``, ``main_window``, ``packaging``: what a test looks at.
    """
    qt.QSettings.setDefaultFormat(qt.QSettings.IniFormat)
    qt.QSettings.setPath(qt.QSettings.IniFormat, qt.QSettings.UserScope, str(folder / "settings"))
    application, packaging, main_window = Application(host, folder), Packaging(), qt.QMainWindow()
    logics = {"volumes": host.volumes, "segmentations": host.segmentations}
    modules = {name: SimpleNamespace(logic=lambda logic=logic: logic) for name, logic in logics.items()}
    translation = named("slicer.i18n", tr=lambda text: text, translate=lambda _, text: text)
    for name, module in {
        "qt": qt,
        "ctk": ctk,
        "slicer.i18n": translation,
        "slicer.packaging": packaging,
        "slicer.ScriptedLoadableModule": scripted_module,
    }.items():
        monkeypatch.setitem(sys.modules, name, module)
    for name, value in {
        "app": application,
        "mrmlScene": host.scene,
        "modules": SimpleNamespace(**modules),
        "i18n": translation,
        "packaging": packaging,
        "ScriptedLoadableModule": scripted_module,
        "qMRMLNodeComboBox": mrml_widgets.qMRMLNodeComboBox,
        "qMRMLPlotView": plot_view.qMRMLPlotView,
        "qMRMLSegmentEditorWidget": mrml_widgets.qMRMLSegmentEditorWidget,
    }.items():
        monkeypatch.setattr(slicer, name, value, raising=False)
    monkeypatch.setattr(slicer.util, "mainWindow", lambda: main_window)
    return SimpleNamespace(application=application, main_window=main_window, packaging=packaging)
