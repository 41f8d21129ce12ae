"""The engine on this computer: started, watched, started again, ended with all its processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PseudoNormalLib.engine.background import Background
from PseudoNormalLib.engine.errors import EngineError, Unreachable
from PseudoNormalLib.engine.jobs import EngineJobs
from PseudoNormalLib.engine.process import RESTARTS, LocalEngine
from PseudoNormalLib.engine.transfer import Volume
from PseudoNormalLib.engine.trees import clean_environment
from PseudoNormalLib.ticks import Ticks

PATIENCE = 100


@pytest.fixture
def ticks():
    return Ticks()


@pytest.fixture
def engines(ticks, known_models, tmp_path):
    """Makes engines on this computer; all are ended with the test."""
    made = []

    def make(command=(sys.executable, "-m", "pseudonormal")):
        engine = LocalEngine(
            Background(ticks),
            command,
            tmp_path / "größe" / "engine.log",
            ("--device", "cpu", "--data", str(tmp_path / "data")),
        )
        engine.told = []
        for name in ("changed", "died", "failed"):
            getattr(engine, name).connect(lambda what, name=name: engine.told.append((name, what)))
        made.append(engine)
        return engine

    yield make
    for engine in made:
        engine.stop()
        assert engine.wait_stopped(10)


@pytest.fixture
def a_running_engine(ticks, engines):
    engine = engines()
    engine.start()
    assert ticks.run_until(lambda: engine.state != "starting", PATIENCE)
    assert engine.state == "running", engine.tail()
    return engine


def tree_of(number):
    """The numbers of a process and all below it."""
    answer = subprocess.run(["pgrep", "-P", str(number)], capture_output=True, text=True, check=False)
    return [number, *(one for child in answer.stdout.split() for one in tree_of(int(child)))]


def alive(number):
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(number)], capture_output=True, text=True, check=False)
    return not state.stdout.startswith("Z")


def saying(*lines, code=0):
    """A command that says lines and ends, whatever options it is given."""
    return (sys.executable, "-c", f"import sys; print({chr(10).join(lines)!r}, flush=True); sys.exit({code})")


def test_it_starts_and_answers_and_ends_with_all_its_processes(ticks, a_running_engine):
    engine = a_running_engine
    assert engine.client().status().device == "cpu"
    assert engine.told == [("changed", "starting"), ("changed", "running")]
    assert ticks.run_until(lambda: len(tree_of(engine.pid)) > 1, PATIENCE)
    tree = tree_of(engine.pid)
    engine.start()
    assert engine.pid == tree[0]
    begun = time.monotonic()
    engine.stop()
    assert time.monotonic() - begun < 0.3 and engine.state == "stopped"
    assert ticks.run_until(lambda: not any(alive(number) for number in tree), 10)
    assert time.monotonic() - begun < 5  # 3 s on an idle machine
    with pytest.raises(Unreachable, match="not running"):
        engine.client()
    assert [what for what, _ in engine.told] == ["changed"] * 3


def test_killed_in_mid_job_it_is_told_and_started_again(ticks, a_running_engine, a_head):
    engine = a_running_engine
    jobs = EngineJobs(Background(ticks), engine.client)
    lost, failed, running = [], [], []
    jobs.engine_lost.connect(lost.append)
    jobs.generate(Volume(a_head.array, np.eye(4)), on_progress=running.append, on_failed=failed.append)
    assert ticks.run_until(lambda: any(status.id for status in running), PATIENCE)
    tree = tree_of(engine.pid)
    address = engine.client().url
    os.kill(engine.pid, signal.SIGKILL)
    assert ticks.run_until(lambda: failed and ("changed", "running") in engine.told[2:], PATIENCE)
    line = str(failed[0])
    assert line.startswith("The engine stopped in the middle of the work") and "\n" not in line
    assert lost == [line]
    died = next(what for name, what in engine.told if name == "died")
    assert died == "The engine ended unexpectedly (signal 9); it is being started again."
    assert not any(alive(number) for number in tree)
    assert engine.client().url != address
    assert engine.client().health().name == "pseudonormal"


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks into /proc for the key")
def test_its_key_is_in_no_log(ticks, a_running_engine):
    engine = a_running_engine
    environment = Path(f"/proc/{engine.pid}/environ").read_bytes().decode().split("\0")
    key = next(entry.partition("=")[2] for entry in environment if entry.startswith("PSEUDONORMAL_TOKEN="))
    assert len(key) > 30
    assert key not in Path(f"/proc/{engine.pid}/cmdline").read_text()
    os.kill(engine.pid, signal.SIGTERM)
    assert ticks.run_until(lambda: any(name == "died" for name, _ in engine.told), PATIENCE)
    assert key not in engine.log_file.read_text(encoding="utf-8")
    assert not any(key in line for line in engine.tail())


def test_one_that_cannot_be_started_is_told_with_its_last_words(ticks, engines):
    engine = engines(saying("first words", "No module named größe", code=3))
    said = []
    engine.said.connect(said.append)
    engine.start()
    assert ticks.run_until(lambda: engine.state == "failed", PATIENCE)
    assert engine.told[-1] == ("failed", "The engine could not be started: No module named größe")
    assert said == engine.tail() == ["first words", "No module named größe"]
    assert engine.log_file.read_text(encoding="utf-8").endswith("No module named größe\n")


def test_a_python_that_is_not_there_is_told_in_one_line(ticks, engines):
    engine = engines(("/nowhere/python", "-m", "pseudonormal"))
    engine.start()
    assert ticks.run_until(lambda: engine.state == "failed", PATIENCE)
    assert engine.told[-1] == ("failed", "The engine could not be started: No such file or directory: /nowhere/python")


def test_one_that_dies_again_and_again_is_not_started_for_ever(ticks, engines):
    engine = engines(saying('{"url": "http://127.0.0.1:1"}', code=9))
    engine.start()
    assert ticks.run_until(lambda: engine.state == "failed", PATIENCE)
    names = [name for name, _ in engine.told if name != "changed"]
    assert names == ["died"] * RESTARTS + ["failed"]
    assert "again and again (exit code 9)" in engine.told[-1][1]
    engine.start()
    assert engine.state == "starting"


def test_one_that_is_stopped_while_it_starts_is_gone(ticks, engines):
    engine = engines()
    engine.start()
    engine.stop()
    assert engine.wait_stopped(10)
    assert ticks.run_until(lambda: engine.state == "stopped", 5)
    assert [what for what in engine.told if what[0] != "changed"] == []


def test_one_that_will_not_end_is_made_to(ticks, engines):
    stubborn = (
        "import json, signal, subprocess, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        "print(json.dumps({'url': 'http://127.0.0.1:1'}), flush=True); "
        "subprocess.run([sys.executable, '-c', 'import time; time.sleep(600)'])"
    )
    engine = engines((sys.executable, "-c", stubborn))
    engine.start()
    assert ticks.run_until(lambda: engine.state == "running" and len(tree_of(engine.pid)) > 1, PATIENCE)
    tree = tree_of(engine.pid)
    engine.stop()
    assert engine.wait_stopped(10)
    assert ticks.run_until(lambda: not any(alive(number) for number in tree), 10)


def test_who_asks_on_a_worker_thread_waits_until_it_runs(ticks, engines):
    engine = engines()
    with pytest.raises(Unreachable, match="start it first"):
        engine.client()
    engine.start()
    with pytest.raises(Unreachable, match="still starting"):
        engine.client()
    answers = []
    EngineJobs(Background(ticks), engine.client).submit(lambda client: client.health().name, answers.append)
    assert ticks.run_until(lambda: answers, PATIENCE)
    assert answers == ["pseudonormal"]


def test_who_waits_for_one_that_cannot_start_is_told(ticks, engines):
    engine = engines(saying("no", code=1))
    engine.start()
    failed = []
    EngineJobs(Background(ticks), engine.client).submit(lambda client: client.health(), failed=failed.append)
    assert ticks.run_until(lambda: failed, PATIENCE)
    assert isinstance(failed[0], EngineError) and "not running" in str(failed[0])


def test_the_applications_own_surroundings_stay_with_it(monkeypatch):
    monkeypatch.setenv("PYTHONHOME", "/opt/Slicer/lib/Python")
    monkeypatch.setenv("LD_LIBRARY_PATH", "/opt/Slicer/lib")
    monkeypatch.setenv("PSEUDONORMAL_MODELS", "/models")
    environment = clean_environment()
    assert "PYTHONHOME" not in environment and "LD_LIBRARY_PATH" not in environment
    assert environment["PSEUDONORMAL_MODELS"] == "/models"
