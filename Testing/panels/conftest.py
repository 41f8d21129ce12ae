"""Panels run on PySide6 in PythonQt's idiom; inside a real Slicer the same tests take the application as it is."""

from __future__ import annotations

import gc
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import slicer

REQUIREMENTS = Path(__file__).resolve().parents[2] / "SlicerPseudoNormal/PseudoNormal/Resources/requirements.txt"
INSIDE_SLICER = hasattr(slicer, "app")


@pytest.fixture(scope="session")
def qt_app():
    """The one Qt application of the process."""
    if INSIDE_SLICER:
        import qt

        return qt.QApplication.instance()
    from Testing.panels.standin import qt

    running = qt.QApplication.instance()
    if isinstance(running, qt.QtWidgets.QApplication):
        return running
    if running is not None:
        running.shutdown()  # another test's, without widgets; a process has but one
    return qt.QApplication(["PseudoNormal"])


@pytest.fixture
def a_slicer(qt_app, monkeypatch, tmp_path):
    """Slicer with an empty scene: ``application``, ``main_window``, ``packaging`` (records installations)."""
    if INSIDE_SLICER:
        import slicer.packaging

        ensured = []
        monkeypatch.setattr(slicer.packaging, "pip_ensure", lambda wanted, **_: ensured.append(wanted))
        slicer.mrmlScene.Clear(0)
        window, packaging = slicer.util.mainWindow(), SimpleNamespace(ensured=ensured)
        yield SimpleNamespace(application=slicer.app, main_window=window, packaging=packaging)
        return
    # Nothing of the user's own is read or written: no settings, no engine that was set up before.
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "user"))
    from PseudoNormalLib.hosts import headless
    from Testing.panels.standin.slicer_app import install

    host = headless()
    yield install(monkeypatch, host, tmp_path)
    qt_app.processEvents()
    # A scene that dies among other garbage would tell observers that are half gone, and garbage may be collected on
    # any thread, where Qt's widgets must not die: so both end here.
    host.scene.Clear(1)
    host.scene.RemoveAllObservers()
    gc.collect()


@pytest.fixture
def a_desktop(a_slicer):
    """The host as the desktop builds it: the scene and logics of the running application, ticking by QTimer."""
    from PseudoNormalLib.hosts import desktop

    return desktop()


@pytest.fixture
def a_main_window(a_slicer):
    """The main window, which takes the keys; a real Slicer may run without one."""
    if a_slicer.main_window is None:
        pytest.skip("Slicer runs without its main window")
    return a_slicer.main_window


@pytest.fixture
def until(qt_app):
    """Runs the event loop until something holds: ``until(lambda: panel.table.rowCount == 1, seconds=20)``."""

    def wait(holds, seconds=30.0):
        end = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < end, f"did not happen within {seconds} s"
            qt_app.processEvents()
            time.sleep(0.002)

    return wait


@pytest.fixture(scope="session")
def an_engine(models_folder, tmp_path_factory):
    """A real engine, as on a server."""
    from Testing.engine_process import running_engine

    with running_engine(models_folder, tmp_path_factory.mktemp("engine") / "data") as engine:
        yield engine.wait_until_ready()


@pytest.fixture
def a_bench(a_desktop):
    """The module's logics in the desktop host."""
    from PseudoNormalLib.workbench import Workbench

    bench = Workbench(a_desktop)
    yield bench
    bench.close()


@pytest.fixture
def a_panel(a_bench):
    """The panel, entered, with no engine chosen yet."""
    from PseudoNormalLib.panels.generate_panel import GeneratePanel

    panel = GeneratePanel(a_bench, REQUIREMENTS)
    panel.enter()
    yield panel
    panel.close()


@pytest.fixture
def connected(a_panel, an_engine, until):
    """The panel with the server chosen, as by typing its address and key."""
    a_panel.engine.kind_combo.setCurrentIndex(1)
    a_panel.engine.server.url_edit.text = an_engine.url
    a_panel.engine.server.key_edit.text = an_engine.token
    a_panel.engine.server.key_edit.editingFinished.emit()
    until(lambda: a_panel.scan.model_combo.count > 1)
    return a_panel
