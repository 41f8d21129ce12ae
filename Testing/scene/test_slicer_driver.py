"""The driver that runs tests inside a real Slicer fails unless tests ran and passed; a small program plays Slicer."""

from __future__ import annotations

import os
import stat
import subprocess
import sys

import pytest
from Testing.slicer import run_pytest
from Testing.slicer.launch import command_line, launch

# Like Slicer: takes its own options and runs the script that follows --python-script with the rest.
PLAYED = """#!{python}
import runpy, sys
place = sys.argv.index("--python-script")
sys.argv = sys.argv[place + 1:]
sys.path.insert(0, {root!r})
{before}
runpy.run_path(sys.argv[0], run_name="__main__")
"""
A_FEW = ["Testing/scene/test_packaging.py", "-q", "-k", "requirements_pin_nothing"]


@pytest.fixture
def played_slicer(tmp_path):
    """Makes a program that behaves like Slicer up to a point."""

    def make(before=""):
        path = tmp_path / "Slicer"
        path.write_text(PLAYED.format(python=sys.executable, root=str(run_pytest.ROOT), before=before))
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return str(path)

    return make


def test_it_passes_when_tests_ran_and_passed(played_slicer):
    assert launch(played_slicer(), A_FEW) is None


def test_it_fails_when_no_test_was_chosen(played_slicer):
    assert "not all passed" in launch(played_slicer(), [*A_FEW[:-1], "there_is_no_such_test"])


def test_it_fails_when_slicer_ends_well_before_the_script_ran(played_slicer):
    assert "no test ran" in launch(played_slicer("sys.exit(0)"), A_FEW)


def test_it_fails_when_pytest_is_not_installed_there(played_slicer):
    assert "no test ran" in launch(played_slicer("sys.modules['pytest'] = None"), A_FEW)


def test_it_fails_when_there_is_no_slicer(tmp_path):
    assert "did not run" in launch(str(tmp_path / "Slicer"), A_FEW)


def test_a_failure_or_an_error_in_collecting_makes_the_verdict():
    outcome = run_pytest.Outcome()
    outcome.counts["passed"] = 5
    assert outcome.verdict([0, 0]) == 0
    assert outcome.verdict([0, 2]) == 1
    outcome.counts["failed"] = 1
    assert outcome.verdict([0, 0]) == 1


def test_files_that_slicers_python_cannot_load_are_told_from_those_it_can(tmp_path):
    needing = tmp_path / "test_needing.py"
    needing.write_text("from pseudonormal.store.store import Store\n", encoding="utf-8")
    assert run_pytest.needs_engine(needing)
    needing.write_text("import numpy\ndef test():\n    from pseudonormal import store\n", encoding="utf-8")
    assert not run_pytest.needs_engine(needing)
    assert not run_pytest.needs_engine(run_pytest.ROOT / "Testing/scene/conftest.py")


def test_module_paths_stand_before_the_script():
    line = command_line("Slicer", ["-k", "word"])
    assert line.index("--additional-module-paths") < line.index("--python-script") < line.index("-k")
    assert {"--testing", "--no-main-window"} <= set(line)


def test_without_an_argument_the_launcher_says_how_it_is_called():
    said = subprocess.run(
        [sys.executable, "-m", "Testing.slicer.launch"],
        cwd=run_pytest.ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 1 and "Testing.slicer.launch" in said.stderr
