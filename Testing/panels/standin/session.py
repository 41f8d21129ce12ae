"""Panels outside pytest's fixtures too: this process stands in for Slicer for a while."""

from __future__ import annotations

import gc
from contextlib import contextmanager

import pytest
from PseudoNormalLib.hosts import headless
from Testing.panels.standin import qt
from Testing.panels.standin.slicer_app import install


def qt_application():
    """The one Qt application of the process."""
    running = qt.QApplication.instance()
    if isinstance(running, qt.QtWidgets.QApplication):
        return running
    if running is not None:
        running.shutdown()  # another test's, without widgets; a process has but one
    return qt.QApplication(["PseudoNormal"])


@contextmanager
def a_slicer_in(folder):
    """Slicer with an empty scene, while the block runs; yields what :func:`install` returns.

    Nothing of the user's own is read or written: no settings, no engine that was set up before.

    :param folder: gets settings and data of the user who is not there.
    """
    application = qt_application()
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("XDG_DATA_HOME", str(folder / "user"))
        host = headless()
        yield install(monkeypatch, host, folder)
        application.processEvents()
        # A scene that dies among other garbage would tell observers that are half gone, and garbage may be collected
        # on any thread, where Qt's widgets must not die: so both end here.
        host.scene.Clear(1)
        host.scene.RemoveAllObservers()
        gc.collect()
