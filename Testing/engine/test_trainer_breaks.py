"""A training can be stopped at any time, and goes on from there."""

from __future__ import annotations

import os
import signal
import threading
import time
from dataclasses import replace

import pytest
import torch
from Testing.trainees import TINY, Doubling, Endless

from pseudonormal.errors import InputError
from pseudonormal.training.checkpoints import Checkpoints
from pseudonormal.training.interrupt import stop_on_interrupt
from pseudonormal.training.trainer import Stopped, train

LONG = replace(TINY, steps=10**6)


def saved(run):
    return Checkpoints(run).load(pytest.fail)


def test_it_stops_when_asked_and_goes_on(tmp_path):
    stop = threading.Event()
    with pytest.raises(Stopped):
        train(Doubling(), tmp_path, replace(TINY, steps=500), stop=stop, progress=lambda _: stop.set())
    stopped = saved(tmp_path)["step"]
    assert 10 <= stopped < 500
    assert not (tmp_path / "doubling.safetensors").exists()
    train(Doubling(), tmp_path, replace(TINY, steps=stopped + 40), resume=True)
    assert saved(tmp_path)["step"] == stopped + 40
    assert (tmp_path / "doubling.safetensors").exists()


def test_ctrl_c_saves_the_state(tmp_path):
    earlier = signal.getsignal(signal.SIGINT)
    with stop_on_interrupt() as stop, pytest.raises(Stopped):
        train(Doubling(), tmp_path, LONG, stop=stop, progress=lambda _: os.kill(os.getpid(), signal.SIGINT))
    assert saved(tmp_path)["step"] >= 10
    assert signal.getsignal(signal.SIGINT) is earlier


def test_all_that_was_learnt_goes_on_where_it_was(tmp_path):
    train(Doubling(), tmp_path, replace(TINY, steps=15))
    before = saved(tmp_path)
    train(Doubling(), tmp_path, replace(TINY, steps=15), resume=True)  # its steps are done: nothing is learnt
    after = saved(tmp_path)
    assert torch.equal(before["networks"]["doubling"]["weight"], after["networks"]["doubling"]["weight"])
    train(Doubling(), tmp_path, replace(TINY, steps=20), resume=True)
    grown = saved(tmp_path)
    assert grown["spent"] > before["spent"]
    moments = grown["optimizers"]["doubling"]["state"].values()
    assert all(int(parameter["step"]) == 20 for parameter in moments)


@pytest.mark.parametrize("where", ["sample", "layer", "backward", "check"])
def test_it_stops_soon_in_whatever_takes_long(tmp_path, where):
    """What is asked for takes 200 seconds; stopping takes less than 2 on an idle machine."""
    recipe, stop, asked = Endless(where), threading.Event(), []

    def ask():
        assert where == "sample" or recipe.begun.wait(100)
        time.sleep(1)
        asked.append(time.monotonic())
        stop.set()

    thread = threading.Thread(target=ask)
    thread.start()
    with pytest.raises(Stopped):
        train(recipe, tmp_path, replace(LONG, workers=1, checks=10**6), stop=stop)
    took = time.monotonic() - asked[0]
    thread.join()
    assert took < 20
    # a step that was broken off has changed nothing
    step = saved(tmp_path)["step"]
    assert step == {"layer": 0, "backward": 0, "check": 1}.get(where, step)


def test_samples_that_cannot_be_made_are_told(tmp_path):
    class Barren(Doubling):
        def samples(self, rng):
            raise InputError("no scan to cut samples from")
            yield

    for workers in (0, 1):
        with pytest.raises(InputError, match="no scan"):
            train(Barren(), tmp_path / str(workers), replace(TINY, workers=workers))


def test_a_process_that_makes_samples_and_dies_is_told(tmp_path):
    class Deadly(Doubling):
        def samples(self, rng):
            yield from (next(super(Deadly, self).samples(rng)) for _ in range(5))
            os.kill(os.getpid(), signal.SIGKILL)

    with pytest.raises(InputError, match="--set workers"):
        train(Deadly(), tmp_path, replace(LONG, workers=1))
