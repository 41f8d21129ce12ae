"""A training that is killed at any moment goes on as if nothing had been."""

from __future__ import annotations

import json
import multiprocessing
import os
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from Testing.trainees import TINY, Noisy, train_in_pieces

from pseudonormal.training.checkpoints import Checkpoints
from pseudonormal.training.trainer import train

# The full measure: PSEUDONORMAL_KILLS=20
KILLS = int(os.environ.get("PSEUDONORMAL_KILLS", "4"))
STEPS = 300 + 100 * KILLS
SETTINGS = replace(TINY, steps=STEPS, workers=1, learning_rate=0.02)

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["Testing.trainees", "pseudonormal.training.loop"])


def lines_of(run):
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits to be counted does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def killed_after(seconds: float, run: Path) -> list[int]:
    """Go on with the run for so long after its first line, then kill -9; returns the processes it had started."""
    here, there = _context.Pipe()
    process = _context.Process(target=train_in_pieces, args=(there, run, SETTINGS))
    process.start()
    there.close()
    assert here.recv() == "ready"
    if seconds > 0.2 and here.poll(120):  # the others are killed while it begins
        time.sleep(seconds - 0.2)
    started = children_of(process.pid)
    process.kill()
    process.join()
    return started


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks into Linux's list of processes")
def test_kill_9_at_any_moment_changes_no_curve(tmp_path):
    run, rng, started = tmp_path / "killed", np.random.default_rng(0), []
    steps = []
    for _ in range(KILLS):
        started += killed_after(rng.uniform(0, 0.8), run)
        content = Checkpoints(run).load(pytest.fail)  # nothing damaged, whatever the moment was
        steps.append(content["step"] if content else 0)
    assert steps == sorted(steps)
    assert steps[-1] > 0
    train(Noisy(), run, SETTINGS, resume=True, warn=pytest.fail)
    train(Noisy(), tmp_path / "whole", SETTINGS)

    lines = lines_of(run)
    covered = np.diff([0, *(line["step"] for line in lines)])
    assert covered.min() > 0
    assert covered.max() <= SETTINGS.checkpoint_every  # a line at every checkpoint: none is missing
    assert lines[-1]["step"] == STEPS
    killed, whole = (np.mean([line["loss"] for line in lines_of(tmp_path / name)[-5:]]) for name in ("killed", "whole"))
    assert lines[0]["loss"] > 2
    assert whole == pytest.approx(0.25, abs=0.05)  # what cannot be learnt
    assert killed == pytest.approx(whole, abs=0.05)
    assert not [path.name for path in run.iterdir() if path.name.endswith(".part")]

    deadline = time.monotonic() + 60
    while any(alive(pid) for pid in started):
        assert time.monotonic() < deadline, "processes that make samples outlive the training"
        time.sleep(0.05)
