"""The engine's own environment: made, resumed, cancelled and removed; pip and venv are the real ones."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from PseudoNormalLib.engine.background import Background
from PseudoNormalLib.engine.environment import (
    MARKER,
    Marker,
    announcement,
    engine_version,
    find_python,
    is_complete,
    make_environment,
    python_of,
    read_marker,
    remove_environment,
)
from PseudoNormalLib.engine.errors import EngineError
from PseudoNormalLib.ticks import Ticks

PATIENCE = 200


def a_wheel_of(folder: Path, version: str) -> Path:
    """A package that is called like the engine and needs nothing, so that pip downloads nothing."""
    wheel = folder / f"pseudonormal-{version}-py3-none-any.whl"
    about = f"pseudonormal-{version}.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("pseudonormal/__init__.py", f'__version__ = "{version}"\n')
        archive.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: pseudonormal\nVersion: {version}\n")
        archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{about}/RECORD", "")
    return wheel


@pytest.fixture
def ticks():
    return Ticks()


@pytest.fixture
def making(ticks):
    """Makes an environment and waits for the outcome: ``lines``, ``python`` or ``error``."""

    def make(folder, requirement, python=Path(sys.executable), cancel_at=None):
        said = SimpleNamespace(lines=[], python=None, error=None)

        def hear(line):
            said.lines.append(line)
            if cancel_at is not None:
                call.cancel()

        background = Background(ticks)
        call = make_environment(
            background,
            folder,
            python,
            str(requirement),
            on_line=hear,
            on_done=lambda python: setattr(said, "python", python),
            on_failed=lambda error: setattr(said, "error", error),
        )
        assert ticks.run_until(lambda: said.python or said.error or call.cancelled, PATIENCE)
        return said

    return make


@pytest.fixture(scope="module")
def an_environment(tmp_path_factory):
    """One that is complete, in a folder of any name; copied by nobody, changed by nobody."""
    folder = tmp_path_factory.mktemp("made") / "Größe Ω" / "engine"
    said, ticks = SimpleNamespace(lines=[], outcome=[]), Ticks()
    wheel = a_wheel_of(tmp_path_factory.mktemp("wheel"), "7.1")
    make_environment(
        Background(ticks),
        folder,
        Path(sys.executable),
        str(wheel),
        on_line=said.lines.append,
        on_done=said.outcome.append,
        on_failed=said.outcome.append,
    )
    assert ticks.run_until(lambda: said.outcome, PATIENCE)
    assert said.outcome == [python_of(folder)], said
    assert any("Successfully installed pseudonormal-7.1" in line for line in said.lines)
    return folder


def test_a_python_is_found_that_can_make_environments():
    python = find_python()
    assert python is not None
    say = "import sys; print(sys.version_info[:2])"
    version = subprocess.run([python, "-c", say], stdout=subprocess.PIPE, text=True, check=True)
    assert version.stdout.strip() in ("(3, 10)", "(3, 11)", "(3, 12)", "(3, 13)")


def test_one_that_was_made_has_the_engine_and_says_so(an_environment):
    assert is_complete(an_environment)
    assert engine_version(str(python_of(an_environment))) == "7.1"
    assert read_marker(an_environment).version == "7.1"


def test_one_that_was_made_is_isolated_from_this_python(an_environment, monkeypatch, tmp_path):
    (tmp_path / "pseudonormal").mkdir()
    (tmp_path / "pseudonormal" / "__init__.py").write_text('__version__ = "of another Python"')
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert engine_version(str(python_of(an_environment))) == "7.1"


@pytest.mark.parametrize("python", ["/nowhere/python", "false"])
def test_a_python_without_the_engine_is_told(python):
    with pytest.raises(EngineError, match="has no engine; install it there or choose another"):
        engine_version(python)


def test_a_failed_installation_is_told_and_the_next_attempt_goes_on_from_there(an_environment, making, tmp_path):
    folder = tmp_path / "engine"
    shutil.copytree(an_environment, folder, symlinks=True)
    said = making(folder, tmp_path / "missing-1-py3-none-any.whl")
    assert str(said.error).startswith("The installation failed: ERROR") and "\n" not in str(said.error)
    assert not is_complete(folder) and read_marker(folder) is not None
    before = python_of(folder).lstat().st_mtime_ns
    said = making(folder, a_wheel_of(tmp_path, "7.2"))
    assert said.error is None and engine_version(str(said.python)) == "7.2"
    assert is_complete(folder) and python_of(folder).lstat().st_mtime_ns == before
    remove_environment(folder)
    assert not folder.exists()


def test_a_cancelled_installation_ends_at_once_and_is_not_complete(ticks, making, tmp_path):
    folder = tmp_path / "engine"
    slow = tmp_path / "slow.py"
    slow.write_text(f'#!{sys.executable}\nimport time\nprint("begun", flush=True)\ntime.sleep(600)\n')
    slow.chmod(0o755)
    said = making(folder, "anything", python=slow, cancel_at=1)
    assert said.lines == ["begun"]
    ticks.run_until(lambda: False, 0.5)
    assert said.python is None and said.error is None
    assert not is_complete(folder)
    assert subprocess.run(["pgrep", "-f", str(slow)], capture_output=True, check=False).stdout == b""


def test_a_folder_of_the_users_is_left_alone(making, tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    said = making(tmp_path, "anything")
    assert "holds other things" in str(said.error)
    with pytest.raises(EngineError, match="holds no engine"):
        remove_environment(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["thesis.txt"]


def test_removing_one_leaves_the_users_files_beside_it(tmp_path):
    folder = tmp_path / "engine"
    (folder / "env").mkdir(parents=True)
    (folder / MARKER).write_text('{"requirement": "x", "complete": true, "version": "1"}')
    (folder / "thesis.txt").write_text("years of work")
    with pytest.raises(EngineError, match="cannot be removed"):
        remove_environment(folder)
    assert (folder / "thesis.txt").read_text() == "years of work"
    assert not (folder / "env").exists()


@pytest.mark.parametrize("content", ["", "{half", "[]", '{"unknown": 1}', "null"])
def test_a_damaged_marker_counts_as_none(content, tmp_path):
    (tmp_path / MARKER).write_text(content)
    assert read_marker(tmp_path) is None and not is_complete(tmp_path)


def test_a_marker_without_its_python_is_not_complete(tmp_path):
    (tmp_path / MARKER).write_text('{"requirement": "x", "complete": true, "version": "1"}')
    assert read_marker(tmp_path) == Marker("x", True, "1")
    assert not is_complete(tmp_path)


def test_what_will_be_done_is_said_before(tmp_path):
    said = announcement(tmp_path / "not" / "yet", "pseudonormal")
    assert "pseudonormal" in said and str(tmp_path) in said and "GB" in said


def test_the_engine_can_be_started_as_a_module():
    command = [sys.executable, "-m", "pseudonormal", "--version"]
    answer = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    assert answer.stdout.startswith("pseudonormal ")
