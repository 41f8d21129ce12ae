"""The engine on this computer through the panel: set up at a click, started, killed, restarted, removed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest


@pytest.fixture
def a_local_engine(a_panel, a_bench, known_models):
    """The panel with an engine on this computer, not started yet."""
    a_panel.engine.local.python_edit.currentPath = sys.executable
    a_panel.engine.local.device_combo.setCurrentIndex(a_panel.engine.local.device_combo.findData("cpu"))
    return a_panel.engine


@pytest.fixture
def a_small_package(tmp_path):
    """A wheel of the engine's name that needs nothing and does nothing; pip installs it without any download."""
    path = tmp_path / "pseudonormal-0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("pseudonormal/__init__.py", '__version__ = "0"\n')
        wheel.writestr("pseudonormal/__main__.py", 'raise SystemExit("this one only exists")\n')
        wheel.writestr("pseudonormal-0.dist-info/METADATA", "Metadata-Version: 2.1\nName: pseudonormal\nVersion: 0\n")
        wheel.writestr(
            "pseudonormal-0.dist-info/WHEEL",
            "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        wheel.writestr("pseudonormal-0.dist-info/RECORD", "")
    return path


def test_without_an_engine_nothing_can_be_started_and_the_panel_says_why(a_panel):
    assert not a_panel.engine.start_button.enabled
    assert a_panel.engine.start_button.toolTip == "There is no engine on this computer yet"
    assert not a_panel.engine.widget.collapsed and not a_panel.set_up.widget.collapsed


def test_before_installing_it_is_said_what_is_downloaded_and_where_to(a_panel, a_bench):
    text = a_panel.set_up.announcement.text
    assert "GB" in text and str(a_bench.setup.folder) in text
    assert not a_bench.setup.folder.exists()
    assert not a_panel.set_up.remove_button.enabled


def test_a_click_installs_the_engine_and_another_one_removes_it(a_panel, a_bench, a_small_package, until):
    a_panel.set_up.requirement_edit.text = str(a_small_package)
    a_panel.set_up.install_button.click()
    assert not a_panel.set_up.install_button.enabled and a_panel.set_up.cancel_button.enabled
    until(lambda: not a_bench.setup.running, seconds=200)
    assert a_panel.set_up.message.text == "The engine is installed."
    assert "pseudonormal" in a_panel.set_up.log.plainText
    assert Path(a_bench.connection.choice.python).is_relative_to(a_bench.setup.folder)
    until(lambda: a_bench.connection.state == "failed")
    assert "this one only exists" in a_panel.engine.state.text
    a_panel.set_up.remove_button.click()
    until(lambda: a_panel.set_up.message.text == "Removed.")
    assert not a_bench.setup.folder.exists() and a_bench.connection.state == "missing"


def test_an_installation_can_be_cancelled(a_panel, a_bench, until):
    a_panel.set_up.install_button.click()
    a_panel.set_up.cancel_button.click()
    assert a_panel.set_up.message.text == "Cancelled; the next attempt goes on from here."
    assert a_panel.set_up.install_button.enabled and not a_bench.setup.running
    assert a_bench.connection.state == "missing"


def test_a_killed_engine_is_told_and_started_again(a_local_engine, a_bench, until, tmp_path):
    a_bench.connection.choose(replace(a_bench.connection.choice, store=str(tmp_path / "store")))
    a_local_engine.start_button.click()
    until(lambda: a_bench.connection.state == "running", seconds=120)
    assert not a_local_engine.start_button.enabled and a_local_engine.stop_button.enabled
    said = []
    a_bench.connection.died.connect(said.append)
    pattern = ["pgrep", "-P", str(os.getpid()), "-f", f"serve.*{tmp_path}"]  # other tests' engines run too
    found = subprocess.run(pattern, capture_output=True, text=True, check=True)
    os.kill(int(found.stdout), signal.SIGKILL)
    until(lambda: said)
    assert a_local_engine.state.text == said[0] and "started again" in said[0]
    until(lambda: a_bench.connection.state == "running", seconds=120)
    a_local_engine.stop_button.click()
    assert a_bench.connection.state == "stopped" and a_local_engine.start_button.enabled


def test_the_choice_outlives_the_session(a_local_engine, a_desktop):
    from PseudoNormalLib.engine.background import Background
    from PseudoNormalLib.engine.connection import EngineConnection

    later = EngineConnection(a_desktop, Background(a_desktop.tick))
    assert later.choice == replace(later.choice, kind="local", python=sys.executable, device="cpu")
    assert later.state == "stopped"
    assert Path(later.choice.python).exists()
