"""Several processes that train together see and learn what one alone would."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from safetensors.torch import load_file
from Testing.trainees import TINY, Crowd

from pseudonormal.training.trainer import train

ROOT = Path(__file__).resolve().parents[2]
STEPS, BATCH = 80, 5


def lines_of(run):
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]


def test_two_processes_learn_what_one_learns_from_the_same_batches(tmp_path):
    """Groups, streams and players; batches of 5, 2 and 1 rows, so that one process has more rows than the other."""
    together, alone = tmp_path / "together", tmp_path / "alone"
    with subprocess.Popen(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m",
         "Testing.trainees", together, str(STEPS), str(BATCH)],
        cwd=ROOT, stderr=subprocess.PIPE, text=True,
    ) as processes:  # fmt: skip
        weights = train(Crowd(), alone, replace(TINY, steps=STEPS, batch=BATCH))
        said = processes.communicate(timeout=200)[1]
    assert processes.returncode == 0, said
    for mine, theirs in zip(lines_of(alone), lines_of(together), strict=True):
        assert mine["step"] == theirs["step"]
        for name in ("loss", "judge_loss", "seen_through", "check_factor"):
            if name in mine:
                assert theirs[name] == pytest.approx(mine[name], rel=1e-5, abs=1e-6)
    assert lines_of(alone)[-1]["loss"] < 0.8 * lines_of(alone)[0]["loss"]
    for network, path in weights.items():
        assert load_file(together / path.name)["weight"].item() == pytest.approx(
            load_file(path)["weight"].item(), rel=1e-5
        ), network
