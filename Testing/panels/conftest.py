"""Panels run on PySide6 in PythonQt's idiom; inside a real Slicer the same tests take the application as it is."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
import slicer
from Testing.panels.event_loop import run_until

REQUIREMENTS = Path(__file__).resolve().parents[2] / "SlicerPseudoNormal/PseudoNormal/Resources/requirements.txt"
INSIDE_SLICER = hasattr(slicer, "app")


@pytest.fixture(scope="session")
def qt_app():
    """The one Qt application of the process."""
    if INSIDE_SLICER:
        import qt

        return qt.QApplication.instance()
    from Testing.panels.standin.session import qt_application

    return qt_application()


@pytest.fixture
def a_slicer(qt_app, request, tmp_path):
    """Slicer with an empty scene: ``application``, ``main_window``, ``packaging`` (records installations)."""
    if INSIDE_SLICER:
        import slicer.packaging

        ensured, monkeypatch = [], request.getfixturevalue("monkeypatch")
        monkeypatch.setattr(slicer.packaging, "pip_ensure", lambda wanted, **_: ensured.append(wanted))
        slicer.mrmlScene.Clear(0)
        window, packaging = slicer.util.mainWindow(), SimpleNamespace(ensured=ensured)
        yield SimpleNamespace(application=slicer.app, main_window=window, packaging=packaging)
        return
    from Testing.panels.standin.session import a_slicer_in

    with a_slicer_in(tmp_path) as slicer_that_stands_in:
        yield slicer_that_stands_in


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
    return partial(run_until, qt_app)


@pytest.fixture(scope="session")
def an_engine(an_engine):
    """A real engine, as on a server, whose model is loaded."""
    return an_engine.wait_until_ready()


@pytest.fixture
def a_bench(a_desktop):
    """The module's logics in the desktop host."""
    from PseudoNormalLib.workbench import Workbench

    bench = Workbench(a_desktop)
    yield bench
    bench.close()


@pytest.fixture
def a_served_bench(a_bench, an_engine):
    """The module's logics, connected to the engine as to a server."""
    from PseudoNormalLib.engine.connection import Choice

    a_bench.connection.choose(Choice(kind="remote", url=an_engine.url, key=an_engine.token))
    return a_bench


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
