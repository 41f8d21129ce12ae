"""The training loop: it learns, it can be stopped or killed at any time, and goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from pseudonormal.errors import InputError
from pseudonormal.training.interrupt import stop_on_interrupt
from pseudonormal.training.sampling import Stopped
from pseudonormal.training.settings import Settings, read_settings, with_overrides
from pseudonormal.training.trainer import train

EDGE = 8
# out of reach in minutes, so that steps alone decide
TINY = Settings(minutes=1e9, steps=40, batch=2, pool=8, reuse=2, workers=0, learning_rate=0.05, checkpoint_every=10)
KILLED = """
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
spec = spec_from_file_location("tiny", sys.argv[1])
tiny = module_from_spec(spec)
sys.modules["tiny"] = tiny
spec.loader.exec_module(tiny)
tiny.train(tiny.Doubling(), Path(sys.argv[2]), tiny.replace(tiny.TINY, steps=10**6, workers=1))
"""


class Doubling:
    """Learns that the target is twice the image."""

    name = "doubling"

    def network(self):
        return nn.Conv3d(1, 1, 1)

    def samples(self, rng):
        while True:
            image = rng.standard_normal((EDGE,) * 3, dtype=np.float32)
            yield {"image": image, "target": 2 * image}

    def redraw(self, sample, rng):
        sign = np.float32(rng.choice([-1, 1]))
        return {key: sign * value for key, value in sample.items()}

    def loss(self, network, batch):
        error = network(batch["image"]).float() - batch["target"]
        return {"loss": error.square().mean(), "bias": error.detach().mean()}


def lines_of(run):
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]


def step_of(run):
    return int(torch.load(run / "checkpoint.pt", weights_only=True)["step"])


def test_it_learns_and_tells(tmp_path):
    told = []
    path = train(Doubling(), tmp_path / "run", replace(TINY, steps=200), progress=told.append)
    assert path == tmp_path / "run" / "doubling.safetensors"
    assert load_file(path)["weight"].item() == pytest.approx(2, abs=0.2)
    log = lines_of(tmp_path / "run")
    assert [line["step"] for line in log] == list(range(20, 201, 20))
    assert log[-1]["loss"] < 0.1 * log[0]["loss"]
    assert {"bias", "minutes", "done"} <= set(told[0])
    assert [line["done"] for line in told] == pytest.approx([(k - 1) / 200 for k in range(20, 201, 20)])
    assert read_settings(tmp_path / "run") == ("doubling", replace(TINY, steps=200))


def test_a_seed_gives_the_same_weights(tmp_path):
    runs = [
        load_file(train(Doubling(), tmp_path / name, replace(TINY, seed=seed)))
        for name, seed in (("a", 3), ("b", 3), ("c", 4))
    ]
    assert all(torch.equal(runs[0][key], runs[1][key]) for key in runs[0])
    assert not all(torch.equal(runs[0][key], runs[2][key]) for key in runs[0])


def test_a_minutes_budget_ends_it(tmp_path):
    train(Doubling(), tmp_path, replace(TINY, minutes=1e-3, steps=10**6))
    assert 0 < step_of(tmp_path) < 10**6


def test_another_run_is_not_overwritten(tmp_path):
    train(Doubling(), tmp_path, replace(TINY, steps=2))
    with pytest.raises(InputError, match="--resume"):
        train(Doubling(), tmp_path, TINY)


def test_it_stops_when_asked_and_goes_on(tmp_path):
    stop = threading.Event()
    with pytest.raises(Stopped):
        train(Doubling(), tmp_path, replace(TINY, steps=500), stop=stop, progress=lambda _: stop.set())
    stopped = step_of(tmp_path)
    assert 20 <= stopped < 500
    assert not (tmp_path / "doubling.safetensors").exists()
    train(Doubling(), tmp_path, replace(TINY, steps=stopped + 40), resume=True)
    assert step_of(tmp_path) == stopped + 40
    assert (tmp_path / "doubling.safetensors").exists()


def test_ctrl_c_saves_the_state(tmp_path):
    earlier = signal.getsignal(signal.SIGINT)
    with stop_on_interrupt() as stop, pytest.raises(Stopped):
        train(
            Doubling(), tmp_path, replace(TINY, steps=10**6), stop=stop,
            progress=lambda _: os.kill(os.getpid(), signal.SIGINT),
        )  # fmt: skip
    assert step_of(tmp_path) >= 20
    assert signal.getsignal(signal.SIGINT) is earlier


def test_a_killed_run_goes_on_from_its_checkpoint(tmp_path):
    run = tmp_path / "run"
    with subprocess.Popen([sys.executable, "-c", KILLED, __file__, str(run)]) as process:
        deadline = time.monotonic() + 240
        while not (run / "checkpoint.pt").exists() or (run / "log.jsonl").read_text().count("\n") < 2:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.kill()
    state = torch.load(run / "checkpoint.pt", weights_only=True)
    step, spent = int(state["step"]), float(state["spent"])
    assert step >= 10
    with (run / "log.jsonl").open("a") as log:  # what was lost with the process, the last line cut short
        log.write(json.dumps({"step": step + 20, "loss": 99.0}) + '\n{"step": 1')
    train(Doubling(), run, replace(TINY, steps=step + 40), resume=True)
    steps = [line["step"] for line in lines_of(run)]
    assert steps == sorted(set(steps))
    assert steps[-1] in range(step + 21, step + 41)
    assert all(line["loss"] < 99 for line in lines_of(run))
    after = torch.load(run / "checkpoint.pt", weights_only=True)
    assert int(after["step"]) == step + 40
    assert float(after["spent"]) > spent
    moments = after["optimizer"]["state"].values()
    assert all(int(parameter["step"]) == step + 40 for parameter in moments)


def test_a_damaged_checkpoint_is_refused(tmp_path):
    train(Doubling(), tmp_path, replace(TINY, steps=2))
    path = tmp_path / "checkpoint.pt"
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(InputError, match=r"checkpoint\.pt: is damaged"):
        train(Doubling(), tmp_path, TINY, resume=True)


def test_settings_are_changed_by_their_types():
    changed = with_overrides(Settings(), ["minutes=1.5", "steps = 7", "average=0", "learning_rate=1e-4"])
    assert changed == replace(Settings(), minutes=1.5, steps=7, average=0.0, learning_rate=1e-4)
    assert isinstance(changed.steps, int)


@pytest.mark.parametrize(
    ("pair", "said"),
    [
        ("epochs=3", "minutes, steps"),
        ("steps", "KEY=VALUE"),
        ("device=cpu", "one of the settings"),
        ("steps=1.5", "whole number"),
        ("minutes=long", "must be a number"),
        ("minutes=nan", "above 0"),
        ("minutes=inf", "above 0"),
        ("batch=0", "above 0"),
        ("workers=-1", "at least 0"),
        ("average=1", "not 1"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(pair, said):
    with pytest.raises(InputError, match=said):
        with_overrides(Settings(), [pair])


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"recipe": "brain", "speed": 3}'])
def test_damaged_settings_of_a_run_are_refused(tmp_path, content):
    (tmp_path / "settings.json").write_text(content)
    with pytest.raises(InputError, match="damaged"):
        read_settings(tmp_path)


def test_settings_survive_a_run(tmp_path):
    settings = replace(TINY, steps=1, seed=11)
    train(Doubling(), tmp_path, settings)
    assert asdict(read_settings(tmp_path)[1]) == asdict(settings)
