"""A checkpoint is whole or not there, and a damaged one is never gone on from."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as some
from Testing.trainees import TINY, Doubling, Game

from pseudonormal.errors import InputError
from pseudonormal.training.checkpoints import Checkpoints
from pseudonormal.training.trainer import train

ROOT = Path(__file__).resolve().parents[2]


def unheard(line):
    raise AssertionError(line)


@pytest.fixture(scope="module")
def two_saved(tmp_path_factory):
    """The bytes of a checkpoint of step 2 and the one before it, of step 1."""
    folder = tmp_path_factory.mktemp("run")
    for step in (1, 2):
        Checkpoints(folder).save({"step": step, "networks": torch.arange(500.0) * step})
    return tuple((folder / name).read_bytes() for name in ("checkpoint.pt", "checkpoint.previous.pt"))


@pytest.fixture
def run(tmp_path, two_saved):
    for name, data in zip(("checkpoint.pt", "checkpoint.previous.pt"), two_saved, strict=True):
        (tmp_path / name).write_bytes(data)
    return tmp_path


def test_the_newest_is_loaded(run):
    content = Checkpoints(run).load(unheard)
    assert content["step"] == 2
    assert torch.equal(content["networks"], torch.arange(500.0) * 2)


def test_a_run_without_one_has_nothing_to_go_on_from(tmp_path):
    assert Checkpoints(tmp_path / "none").load(unheard) is None
    assert not Checkpoints(tmp_path / "none").exist()


@given(data=some.data())
def test_whatever_is_damaged_is_told_and_the_one_before_is_taken(tmp_path_factory, two_saved, data):
    newest, previous = two_saved
    folder = tmp_path_factory.mktemp("damaged")
    place = data.draw(some.integers(0, len(newest) - 1))
    if data.draw(some.booleans(), label="cut off"):
        damaged = newest[:place]
    else:
        damaged = newest[:place] + bytes([newest[place] ^ data.draw(some.integers(1, 255))]) + newest[place + 1 :]
    (folder / "checkpoint.pt").write_bytes(damaged)
    (folder / "checkpoint.previous.pt").write_bytes(previous)
    told = []
    assert Checkpoints(folder).load(told.append)["step"] == 1
    assert len(told) == 1
    assert "checkpoint.pt: is damaged" in told[0]
    # what is damaged may not push out the one before: a save that is cut short leaves it
    assert not (folder / "checkpoint.pt").exists()
    Checkpoints(folder).save({"step": 3})
    assert Checkpoints(folder).load(unheard)["step"] == 3


def test_when_all_are_damaged_it_says_so(run):
    for path in run.iterdir():
        path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(InputError, match=r"checkpoint\.previous\.pt: is damaged"):
        Checkpoints(run).load(lambda _: None)
    (run / "checkpoint.previous.pt").unlink()
    (run / "checkpoint.pt").write_bytes(b"")
    with pytest.raises(InputError, match=r"checkpoint\.pt: is damaged"):
        Checkpoints(run).load(unheard)


def test_a_killed_save_leaves_what_was_there(run, two_saved):
    """At the worst moment the newest has made room already, and the next has not taken its place."""
    (run / "checkpoint.pt").replace(run / "checkpoint.previous.pt")
    (run / "checkpoint.next.pt").write_bytes(two_saved[0])
    (run / ".123abc.part").write_bytes(two_saved[0][:100])
    assert Checkpoints(run).exist()
    assert Checkpoints(run).load(unheard)["step"] == 2
    assert [path.name for path in run.iterdir()] == ["checkpoint.previous.pt"]


def test_one_of_an_older_version_is_told_as_such(tmp_path):
    torch.save({"network": {}, "step": 3}, tmp_path / "checkpoint.pt")
    with pytest.raises(InputError, match="begun by an older version"):
        train(Doubling(), tmp_path, TINY, resume=True)


def test_one_of_other_networks_is_refused(tmp_path):
    train(Doubling(), tmp_path, replace(TINY, steps=1))
    with pytest.raises(InputError, match="recipe doubling"):
        train(Game(), tmp_path, TINY, resume=True)


def test_a_full_disk_is_told_and_the_one_before_stays(tmp_path):
    """Files of this process may not grow beyond what the first checkpoint takes: the second is larger."""
    child = (
        "import resource, sys, torch\n"
        "from pathlib import Path\n"
        "from pseudonormal.errors import InputError\n"
        "from pseudonormal.training.checkpoints import Checkpoints\n"
        "kept = Checkpoints(Path(sys.argv[1]))\n"
        "kept.save({'step': 1})\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "try:\n"
        "    kept.save({'step': 2, 'networks': torch.zeros(100_000)})\n"
        "except InputError as error:\n"
        "    print(error)\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", child, tmp_path], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert "the disk is full" in said
    assert Checkpoints(tmp_path).load(unheard)["step"] == 1
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.pt"]


class Hungry(Doubling):
    """Has memory for so many samples only; the error is torch's own."""

    def __init__(self, most):
        self.most, self.sizes = most, []

    def loss(self, networks, batch, turn):
        self.sizes.append(len(batch["image"]))
        if len(batch["image"]) > self.most:
            raise torch.OutOfMemoryError("out of memory")
        return super().loss(networks, batch, turn)


def test_too_little_memory_is_told_with_what_to_lower_and_nothing_is_lost(tmp_path):
    train(Hungry(8), tmp_path, replace(TINY, steps=7, batch=8))
    with pytest.raises(InputError, match=r"--resume --set batch=4") as told:
        train(Hungry(4), tmp_path, replace(TINY, batch=8), resume=True)
    assert "shrink=1" in str(told.value)
    assert Checkpoints(tmp_path).load(unheard)["step"] == 7
    assert train(Hungry(4), tmp_path, replace(TINY, batch=4), resume=True)


def test_a_batch_shrinks_by_itself_where_that_is_wished(tmp_path):
    hungry, told = Hungry(2), []
    train(hungry, tmp_path, replace(TINY, batch=8, shrink=True), warn=told.append)
    assert hungry.sizes == [8, 4] + 40 * [2]
    assert ["batch=4" in told[0], "batch=2" in told[1]] == [True, True]
    with pytest.raises(InputError, match="one sample"):
        train(Hungry(0), tmp_path / "none", replace(TINY, shrink=True))
