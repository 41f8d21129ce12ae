"""``pseudonormal train`` from a list of cases to weights."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time

import numpy as np
import pytest
import torch
import typer
from safetensors.torch import load_file
from Testing.trainees import TINY, Game, GameOptions
from typer.testing import CliRunner

from pseudonormal.cli.train import describe, train
from pseudonormal.errors import InputError
from pseudonormal.models.beginning import beginning_weights
from pseudonormal.models.bundle import find_bundle
from pseudonormal.models.device import choose_device
from pseudonormal.recipes.brain import brain_network
from pseudonormal.recipes.training import RECIPES, TrainingRecipe
from pseudonormal.scan.scan import Geometry
from pseudonormal.scan.writing import write_image
from pseudonormal.training.curves import tensorboard_curves

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
    assert not (run / "brain.safetensors").exists()

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


def test_it_begins_with_the_weights_of_a_model(tmp_path, cases):
    shipped = find_bundle("brain-mr") / "models" / "brain.safetensors"
    run = tmp_path / "run"
    arguments = ("brain", cases, "--device", "cpu", *QUICK, "--set", "steps=1", "--set", "learning_rate=1e-9")
    assert run_command(*arguments, "-o", run, "--start", "brain-mr").exit_code == 0
    learnt = load_file(run / "brain.safetensors")
    assert all(torch.allclose(learnt[name], value.float(), atol=1e-3) for name, value in load_file(shipped).items())
    assert beginning_weights("brain-mr", ["brain", "other"]) == {"brain": shipped}
    assert beginning_weights(str(run), ["brain"]) == {"brain": run / "brain.safetensors"}

    assert "leave one" in input_error(run_command(*arguments, "-o", run, "--start", "brain-mr", "--resume"))
    assert "not known" in input_error(run_command(*arguments, "-o", tmp_path / "none", "--start", "no-such-model"))
    assert not (tmp_path / "none").exists()
    (run / "brain.safetensors").unlink()
    with pytest.raises(InputError, match="let the run end"):
        beginning_weights(str(run), ["brain"])


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
    line = {"step": 40.0, "minutes": 2.0, "minutes_left": 6.0, "done": 0.25, "loss": 0.123456}
    assert describe(line) == "step 40 · loss 0.123 · 6 min left"
    assert describe({**line, "minutes_left": 0.4}).endswith("less than a minute left")


@pytest.fixture
def a_recipe_with_options(monkeypatch):
    """``pseudonormal train game``: small enough to be trained here, and with something to choose."""
    monkeypatch.setitem(RECIPES, "game", TrainingRecipe("A game.", lambda _, options: Game(options), TINY, GameOptions))


def test_options_of_the_recipe_are_set_like_settings_and_kept(tmp_path, cases, a_recipe_with_options):
    run = tmp_path / "run"
    arguments = ("game", cases, "-o", run, "--device", "cpu", "--json")
    assert "factor, shy, colour" in input_error(run_command(*arguments, "--set", "speed=3"))
    first = run_command(*arguments, "--set", "factor=3", "--set", "steps=200", "--set", "seed=1")
    assert first.exit_code == 0, first.output
    lines = [json.loads(line) for line in first.stdout.splitlines()]
    assert [line for line in lines if "weights" in line] == [
        {"weights": str(run / f"{network}.safetensors")} for network in ("paint", "guess")
    ]
    assert lines[-3]["check_factor"] == pytest.approx(3, abs=0.3)
    assert run_command(*arguments, "--resume", "--set", "steps=210").exit_code == 0
    kept = json.loads((run / "settings.json").read_text())
    assert (kept["options"]["factor"], kept["steps"], kept["seed"]) == (3.0, 210, 1)


def test_a_damaged_checkpoint_is_told_and_the_one_before_is_gone_on_from(tmp_path, cases, a_recipe_with_options):
    run = tmp_path / "run"
    arguments = ("game", cases, "-o", run, "--device", "cpu", "--json")
    assert run_command(*arguments).exit_code == 0
    (run / "checkpoint.pt").write_bytes(b"PseudoNormal")
    ended = run_command(*arguments, "--resume", "--set", "steps=50")
    assert ended.exit_code == 0
    assert "checkpoint.pt: is damaged; going on from the checkpoint before it" in ended.stderr
    assert json.loads(ended.stdout.splitlines()[0])["step"] in range(31, 51)


def test_only_the_first_of_several_processes_speaks(tmp_path, cases, a_recipe_with_options, monkeypatch):
    monkeypatch.setenv("RANK", "1")
    ended = run_command("game", cases, "-o", tmp_path / "run", "--device", "cpu")
    assert (ended.exit_code, ended.output) == (0, "")


def test_curves_for_tensorboard_are_written_where_they_are_wished(tmp_path, cases, a_recipe_with_options):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    run = tmp_path / "run"
    arguments = ("game", cases, "-o", run, "--device", "cpu")
    assert run_command(*arguments).exit_code == 0
    assert not (run / "tensorboard").exists()
    assert run_command(*arguments, "--tensorboard", "--resume", "--set", "steps=60").exit_code == 0
    read = accumulator.EventAccumulator(str(run / "tensorboard")).Reload()
    logged = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    expected = [(line["step"], pytest.approx(line["loss"])) for line in logged if line["step"] > 40]
    assert [(point.step, point.value) for point in read.Scalars("loss")] == expected
    assert {"judge_loss", "check_factor"} <= set(read.Tags()["scalars"])


def test_curves_of_steps_that_were_lost_are_not_shown(tmp_path):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    for steps, loss in ((range(10, 60, 10), 1.0), (range(30, 80, 10), 2.0)):
        with tensorboard_curves(tmp_path) as add:
            for step in steps:
                add({"step": step, "minutes": 1.0, "minutes_left": 2.0, "done": 0.5, "loss": loss})
    read = accumulator.EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert [(point.step, point.value) for point in read.Scalars("loss")] == [
        (step, 1.0 if step < 30 else 2.0) for step in range(10, 80, 10)
    ]
    assert read.Tags()["scalars"] == ["loss"]


def test_without_tensorboard_it_says_how_to_get_it(tmp_path, cases, a_recipe_with_options, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    said = input_error(run_command("game", cases, "-o", tmp_path / "run", "--device", "cpu", "--tensorboard"))
    assert "pip install 'pseudonormal[tensorboard]'" in said
    assert not (tmp_path / "run").exists()


def test_every_recipe_explains_itself():
    for name, recipe in RECIPES.items():
        assert len(recipe.explanation) > 80, name
