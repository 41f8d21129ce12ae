"""``pseudonormal train`` from a list of cases to weights."""

from __future__ import annotations

import json
import os
import signal
import threading
import time

import numpy as np
import pytest
import typer
from safetensors.torch import load_file
from typer.testing import CliRunner

from pseudonormal.cli.train import describe, train
from pseudonormal.errors import InputError
from pseudonormal.models.device import choose_device
from pseudonormal.recipes.brain import brain_network
from pseudonormal.recipes.training import RECIPES
from pseudonormal.scan.scan import Geometry
from pseudonormal.scan.writing import write_image

QUICK = [f"--set={pair}" for pair in ("batch=1", "pool=1", "workers=0", "minutes=1e9")]
HEADER = "case,subject,split,image,mask,normal,foreground,labels\n"

app = typer.Typer()
app.command()(train)


@pytest.fixture
def cases(tmp_path):
    """One head of 60 mm, whose brain is white matter around a ventricle within a skull."""
    grid = np.indices((64, 64, 64)) - 32.0
    radius = np.sqrt((grid**2).sum(axis=0))
    labels = np.select([radius < 6, radius < 24, radius < 30], [4, 2, 510], 0).astype(np.int16)
    axes = (-1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 1.0)
    write_image(labels, Geometry((64, 64, 64), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), axes), tmp_path / "labels.nii.gz")
    path = tmp_path / "cases.csv"
    path.write_text(HEADER + "head,head,train,,,,,labels.nii.gz\n")
    return path


def run_command(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def input_error(result) -> str:
    assert isinstance(result.exception, InputError), result.output
    assert "\n" not in str(result.exception)
    return str(result.exception)


def test_it_ends_with_weights_and_can_be_interrupted(tmp_path, cases):
    run = tmp_path / "run"
    arguments = ("brain", cases, "-o", run, "--device", "cpu", "--json")

    def interrupt():
        while not (run / "log.jsonl").exists():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    stopped = run_command(*arguments, *QUICK, "--set", "steps=1000")
    thread.join()
    assert stopped.exit_code == 130
    assert json.loads(stopped.stdout.splitlines()[-1]) == {"stopped": str(run)}
    assert (run / "checkpoint.pt").exists()

    assert "--resume" in input_error(run_command(*arguments))
    assert "recipe brain" in input_error(run_command("restore", cases, "-o", run, "--resume"))

    step = json.loads((run / "settings.json").read_text())
    assert (step["steps"], step["batch"], step["recipe"]) == (1000, 1, "brain")
    ended = run_command(*arguments, "--resume", "--set", "steps=1")
    assert ended.exit_code == 0, ended.output
    weights = run / "brain.safetensors"
    assert json.loads(ended.stdout.splitlines()[-1]) == {"weights": str(weights)}
    brain_network().load_state_dict(load_file(weights))
    kept = json.loads((run / "settings.json").read_text())
    assert (kept["steps"], kept["batch"]) == (1, 1)


def test_what_cannot_be_done_is_said_before_anything_is_written(tmp_path, cases):
    run = tmp_path / "run"
    assert "brain, lesion, restore" in input_error(run_command("heart", cases, "-o", run))
    assert "learning_rate" in input_error(run_command("brain", cases, "-o", run, "--set", "speed=3"))
    assert "no run" in input_error(run_command("brain", cases, "-o", run, "--resume"))
    assert "no such file" in input_error(run_command("brain", tmp_path / "none.csv", "-o", run))
    assert "has an image" in input_error(run_command("lesion", cases, "-o", run, "--device", "cpu"))
    assert not run.exists()


def test_a_run_that_has_not_ended_finds_no_brains(tmp_path, cases):
    grid = np.random.default_rng(0).random((32, 32, 32), dtype=np.float32)
    axes = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
    write_image(grid, Geometry((32, 32, 32), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), axes), tmp_path / "scan.nii.gz")
    cases.write_text(cases.read_text() + "scan,scan,train,scan.nii.gz,,scan.nii.gz,,\n")
    begun = tmp_path / "begun"
    begun.mkdir()
    (begun / "settings.json").write_text("{}")
    said = input_error(run_command("lesion", cases, "-o", tmp_path / "run", "--brain", begun, "--device", "cpu"))
    assert "brain.safetensors: is missing" in said


@pytest.mark.parametrize("name", ["gpu", "cuda:x", "cuda:99"])
def test_a_device_that_is_not_there_is_refused(tmp_path, cases, name):
    assert name in input_error(run_command("brain", cases, "-o", tmp_path / "run", "--device", name))


def test_the_device_is_chosen_by_itself():
    assert choose_device("auto").type in ("cpu", "cuda")


def test_progress_is_put_in_words():
    line = {"step": 40.0, "minutes": 2.0, "loss": 0.123456, "done": 0.25}
    assert describe(line) == "step 40 · loss 0.123 · 6 min left"
    assert describe({**line, "done": 0.99}).endswith("less than a minute left")


def test_every_recipe_explains_itself():
    for name, recipe in RECIPES.items():
        assert len(recipe.explanation) > 80, name
