"""Recipe ``smile`` learns in 2D and 3D, through the trainer too, and from a parent."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from Testing.smile_heads import batch_of, networks_of, recipe_of, some_material

from pseudonormal.models.bundle import NETWORKS
from pseudonormal.recipes.smile.options import SmileOptions
from pseudonormal.recipes.smile.predicting import as_model
from pseudonormal.recipes.smile.recipe import MAKERS, SmileRecipe
from pseudonormal.training.settings import Settings
from pseudonormal.training.trainable import Turn
from pseudonormal.training.trainer import train

LATE = 0.95  # every ramp is up
QUICK = Settings(minutes=1e9, steps=2, batch=1, pool=5, reuse=2, workers=0, checks=1, bfloat16=False)


@pytest.fixture(scope="module")
def material():
    return some_material()


@pytest.mark.parametrize("dimensions", [2, 3])
def test_it_learns_a_few_patches_by_heart(material, dimensions):
    recipe = recipe_of(material, dimensions=dimensions)
    batch = batch_of(recipe)
    networks, teachers = networks_of(recipe)
    optimizers = {
        player: torch.optim.AdamW([p for name in names for p in networks[name].parameters()], 3e-3)
        for player, names in recipe.players.items()
    }
    said = []
    for _ in range(8 if dimensions == 2 else 3):
        for player, optimizer in optimizers.items():
            terms = recipe.loss(networks, batch, Turn(player, LATE, teachers))
            optimizer.zero_grad()
            terms["loss"].backward()
            optimizer.step()
            if player == MAKERS:
                said.append({name: float(value.detach()) for name, value in terms.items()})
    assert np.isfinite([list(terms.values()) for terms in said]).all()
    assert said[-1]["loss"] < said[0]["loss"] - 0.2
    assert said[-1]["sim"] < said[0]["sim"]
    assert said[-1]["seg"] < said[0]["seg"]
    assert said[-1]["gain_db"] > said[0]["gain_db"]


def test_the_trainer_runs_it_and_its_weights_are_those_of_a_model(material, tmp_path):
    told = []
    recipe = SmileRecipe(material, SmileOptions(dimensions=2, patch=32))
    weights = train(recipe, tmp_path / "run", QUICK, progress=told.append)
    assert set(weights) == {"lesion", "restore", "painter", "discriminator"}
    last = json.loads((tmp_path / "run" / "log.jsonl").read_text().splitlines()[-1])
    assert {"check_dice", "check_dice_best", "check_psnr_void", "check_psnr_fill", "seg", "sim"} <= set(last)
    assert 0 <= last["check_dice"] <= last["check_dice_best"] <= 1
    assert (tmp_path / "run" / "example.png").read_bytes()[:4] == b"\x89PNG"
    shipped = SmileRecipe(material, SmileOptions(patch=32)).networks()
    for name in ("lesion", "restore"):
        kept = NETWORKS[name]().state_dict()
        assert {key: value.shape for key, value in kept.items()} == {
            key: value.shape for key, value in shipped[name].state_dict().items()
        }
        assert {value.ndim for value in load_file(weights[name]).values()} == {1, 4}


def test_a_check_finds_where_unlabelled_scans_are_restored_next(material, tmp_path):
    recipe = SmileRecipe(material, SmileOptions(dimensions=2, patch=32))
    scan = recipe.material.unlabelled[0]
    networks, _ = networks_of(recipe)
    torch.nn.init.constant_(networks["lesion"].model[2][1].conv.unit0.conv.bias, 50.0)  # finds everything
    recipe.check(networks, tmp_path)
    assert recipe._guesses.lesion(scan.case)[scan.brain].mean() > 0.9
    recipe = SmileRecipe(replace(material, validation=[]), SmileOptions(dimensions=2, patch=32))
    assert recipe.check(networks, tmp_path) == {}


def test_rehearsal_holds_a_fine_tuned_network_to_its_parent(material):
    torch.manual_seed(1)
    parent = as_model({name: NETWORKS[name]().eval() for name in ("lesion", "restore")})
    recipe = recipe_of(material, parent, dimensions=3)
    batch = batch_of(recipe)
    same = {"lesion": parent.lesion, "restore": parent.restore}
    networks, teachers = networks_of(recipe)
    kept = recipe.loss({**networks, **same}, batch, Turn(MAKERS, 0.0, teachers))["keep"]
    drifted = recipe.loss(networks, batch, Turn(MAKERS, 0.0, teachers))["keep"]
    assert kept < drifted
    alone = recipe_of(material, parent, dimensions=3, no_simulation=True)
    assert "rehearsal" in alone.streams
    assert "keep" in alone.loss(networks, batch_of(alone), Turn(MAKERS, 0.0, teachers))
