"""Recipe ``shape`` learns without a pair: through the trainer, after kill -9, and in rounds."""

from __future__ import annotations

import json
import multiprocessing
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from Testing.shape_scans import EDGE, MODEL, drawn_material

from pseudonormal.recipes.shape import rounds as rounds_module
from pseudonormal.recipes.shape.checking import dice
from pseudonormal.recipes.shape.labelling import Label, agreement, answer_of, label
from pseudonormal.recipes.shape.learning import Labelled, LearningOptions, LearningRecipe, answer_of_round
from pseudonormal.recipes.shape.material import Framed, ShapeMaterial
from pseudonormal.recipes.shape.networks import shape_networks
from pseudonormal.recipes.shape.options import ShapeOptions
from pseudonormal.recipes.shape.pool import SIZE, Pool
from pseudonormal.recipes.shape.recipe import JUDGES, MAKERS, SHAPES, ShapeRecipe
from pseudonormal.recipes.shape.rounds import best_of, rounds
from pseudonormal.training.checkpoints import Checkpoints
from pseudonormal.training.settings import Settings
from pseudonormal.training.trainer import train

OPTIONS = ShapeOptions(dimensions=2, edge=EDGE, width=4, latent=8, shape_share=0.4)
QUICK = Settings(
    minutes=1e9, steps=10, batch=2, pool=16, reuse=4, workers=0, checks=1, bfloat16=False, learning_rate=2e-3,
    average=0.9, checkpoint_every=2,
)  # fmt: skip
_context = multiprocessing.get_context("spawn")


@pytest.fixture(scope="module")
def material():
    return drawn_material()


@pytest.mark.parametrize("changed", [{}, {"patch_judge": True}, {"no_calibration": True}])
def test_the_trainer_runs_it_and_tells_how_it_goes(material, tmp_path, changed):
    told = []
    recipe = ShapeRecipe(material, replace(OPTIONS, **changed))
    weights = train(recipe, tmp_path / "run", QUICK, progress=told.append, warn=lambda _: None)
    assert set(weights) == set(recipe.networks())
    assert ("shapes" in weights) != bool(changed.get("patch_judge"))
    last = told[-1]
    assert {"adv_mask", "adv_image", "image", "mask", "judge_mask", "judge_image", "check_agreement"} <= set(last)
    assert {"check_area", "check_alike", "check_offset", "check_dice"} <= set(last)
    assert np.isfinite(list(last.values())).all()
    assert (tmp_path / "run" / "example.png").read_bytes()[:4] == b"\x89PNG"


def test_what_goes_wrong_is_said_while_it_trains(material, tmp_path):
    said = []
    train(ShapeRecipe(material, OPTIONS), tmp_path / "run", QUICK, warn=said.append)
    assert all(line.startswith(str(tmp_path / "run")) for line in said)
    assert any("shape space does not know" in line for line in said)
    assert len(said) > 1  # an untrained generator marks everything, nothing, or the same in all scans
    assert len(set(said)) == len(said)  # once, not at each check


def test_shape_space_learns_first_and_rests_then(material):
    recipe = ShapeRecipe(material, OPTIONS)
    assert list(recipe.players) == [MAKERS, JUDGES, SHAPES]
    assert list(ShapeRecipe(material, replace(OPTIONS, patch_judge=True)).players) == [MAKERS, JUDGES]


def test_3d_volumes_are_learnt_from_whole(tmp_path):
    rng = np.random.default_rng(0)
    masks = [MODEL.draw((EDGE,) * 3, rng) for _ in range(5)]
    images = [(0.3 + 0.4 * mask + 0.05 * rng.standard_normal(mask.shape)).astype(np.float32) for mask in masks]
    scans = [Framed("v", image, np.ones_like(mask), mask) for image, mask in zip(images, masks, strict=True)]
    options = replace(OPTIONS, dimensions=3, width=2, shape_share=0.5)
    recipe = ShapeRecipe(ShapeMaterial(scans[:4], MODEL, scans[4:]), options)
    settings = replace(QUICK, steps=4, batch=1)
    weights = train(recipe, tmp_path / "run", settings, warn=lambda _: None)
    networks = recipe.networks()
    for name, network in networks.items():
        network.load_state_dict(load_file(weights[name]))
    found = label(answer_of(networks), scans[4], dimensions=3, one_piece=True, shapes=networks["shapes"])
    assert found.mask.shape == found.weight.shape == (EDGE,) * 3
    assert found.trust.shape == (1,)


def begin(run: Path) -> None:
    train(ShapeRecipe(drawn_material(), OPTIONS), run, replace(QUICK, steps=10_000), resume=True, warn=print)


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs signals as Linux has them")
def test_kill_9_loses_nothing_that_was_saved(material, tmp_path):
    run = tmp_path / "run"
    process = _context.Process(target=begin, args=(run,))
    process.start()
    deadline = time.monotonic() + 120
    while not Checkpoints(run).exist() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.3)
    process.kill()
    process.join()
    content = Checkpoints(run).load(pytest.fail)
    assert content is not None
    steps = content["step"] + 4
    told = []
    train(
        ShapeRecipe(material, OPTIONS), run, replace(QUICK, steps=steps), resume=True, progress=told.append,
        warn=lambda _: None,
    )  # fmt: skip
    assert told[-1]["step"] == steps
    lines = [json.loads(line)["step"] for line in (run / "log.jsonl").read_text().splitlines()]
    assert lines == sorted(set(lines))


def test_the_pool_shows_old_answers_half_of_the_time():
    pool, rng = Pool(), np.random.default_rng(0)
    old = 0
    for step in range(3 * SIZE):
        shown = pool.exchange(torch.full((2, 1, 2, 2), float(step)), torch.from_numpy(rng.random(2)))
        assert shown.shape == (2, 1, 2, 2)
        old += int((shown[:, 0, 0, 0] != step).sum())
    assert 0.35 < old / (2 * (3 * SIZE - SIZE / 2)) < 0.65


def learnt(labelled, options, tmp_path, steps=90):
    recipe = LearningRecipe(labelled, options)
    settings = replace(QUICK, steps=steps, batch=6, learning_rate=4e-3, checks=0, pool=60)
    weights = train(recipe, tmp_path, settings)
    networks = recipe.networks()
    networks["segment"].load_state_dict(load_file(weights["segment"]))
    return {"segment": networks["segment"].eval()}


def test_a_segmentor_learns_from_labels_and_trust_says_what_it_is_sure_of(material, tmp_path):
    teach = [Labelled(scan, scan.truth, np.ones(1, np.float32)) for scan in material.scans]
    networks = learnt(teach, LearningOptions(dimensions=2), tmp_path)
    labels = [label(answer_of_round(networks, 2), scan, dimensions=2, one_piece=True) for scan in material.held_out]
    scores = [dice(one.mask, scan.truth, scan) for one, scan in zip(labels, material.held_out, strict=True)]
    assert np.mean(scores) > 0.5  # a few seconds of learning
    assert 0 < agreement(labels) <= 1
    for one in labels:
        assert one.weight.shape == one.mask.shape
        assert 0.1 <= one.weight.min() <= one.weight.max() <= 1
    border = np.mean([one.weight[one.mask ^ np.roll(one.mask, 1, 2)].mean() for one in labels if one.mask.any()])
    assert border < np.mean([one.weight.mean() for one in labels])


def test_a_distrusted_scan_teaches_nothing(material):
    scans = material.scans[:2]
    teach = [
        Labelled(scan, scan.truth, np.full(1, trust, np.float32)) for scan, trust in zip(scans, (0, 1), strict=True)
    ]
    recipe = LearningRecipe(teach, LearningOptions(dimensions=2))
    rng = np.random.default_rng(0)
    stream = recipe.samples(rng)
    assert {round(next(stream)["trust"], 3) for _ in range(20)} == {0.0, 2.0}  # about 1 on average


def test_rounds_end_when_the_estimate_stops_rising(material, monkeypatch):
    options = OPTIONS
    torch.manual_seed(0)
    generator = {name: network.eval() for name, network in shape_networks(options).items()}
    estimates = iter([1.0, 3.0, 3.0, 9.0])
    made = []

    def learn(name, recipe, before):
        assert before == (made[-1] if made else None)  # each round goes on from the one before it
        made.append(name)
        torch.manual_seed(len(made))
        return {key: network.eval() for key, network in recipe.networks().items()}

    monkeypatch.setattr(rounds_module, "agreement", lambda _: next(estimates))
    done = rounds(material, generator, options, LearningOptions(dimensions=2), learn, most=5)
    assert made == ["round_1", "round_2"]
    assert [one.number for one in done] == [0, 1, 2]
    assert best_of(done).number == 1
    assert len(done[0].labels) == len(material.scans)


def test_an_empty_label_says_nothing_about_agreement():
    nothing = Label(np.zeros((2, 4, 4), np.float32), np.zeros((2, 4, 4), bool), np.ones(2, np.float32))
    assert agreement([nothing]) == 0


def test_each_part_of_the_training_has_a_learning_rate_that_falls_to_its_end(material):
    recipe = ShapeRecipe(material, OPTIONS)  # shape space: the first 40 %
    assert [recipe.progress(SHAPES, done) for done in (0.0, 0.2, 0.4, 0.9)] == [0.0, 0.5, None, None]
    assert [recipe.progress(MAKERS, done) for done in (0.0, 0.4, 0.7)] == [None, 0.0, pytest.approx(0.5)]
    assert ShapeRecipe(material, replace(OPTIONS, patch_judge=True)).progress(JUDGES, 0.5) == 0.5
