"""Recipe ``um`` learns in slices, montages and volumes; its gate holds back; bad material is told apart."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from Testing.smile_heads import a_scan
from Testing.um_heads import SMALL, some_scans, um_batch, um_networks, um_recipe

from pseudonormal.errors import InputError
from pseudonormal.recipes.um.loss import discriminator_loss, generator_loss
from pseudonormal.recipes.um.material import sorted_units
from pseudonormal.recipes.um.options import UmOptions
from pseudonormal.recipes.um.recipe import GENERATOR
from pseudonormal.training.coarse import coarse_scan
from pseudonormal.training.settings import Settings
from pseudonormal.training.trainable import Turn
from pseudonormal.training.trainer import train

QUICK = Settings(minutes=1e9, steps=2, batch=1, pool=5, reuse=2, workers=0, checks=1, bfloat16=False)
KINDS = {"slices": {}, "montage": {"montage": True}, "volumes": {"dimensions": 3}, "drawn masks": {"guide": "mask"}}


@pytest.mark.parametrize("kind", KINDS)
def test_it_learns_a_few_pictures_by_heart(kind):
    recipe = um_recipe(**KINDS[kind])
    batch = um_batch(recipe)
    networks, teachers = um_networks(recipe)
    optimizers = {
        player: torch.optim.AdamW([p for name in names for p in networks[name].parameters()], 5e-3)
        for player, names in recipe.players.items()
    }
    said = []
    for _ in range(16 if recipe.options.dimensions == 2 else 8):
        for player, optimizer in optimizers.items():
            terms = recipe.loss(networks, batch, Turn(player, 0.5, teachers))
            optimizer.zero_grad()
            terms["loss"].backward()
            torch.nn.utils.clip_grad_norm_([p for group in optimizer.param_groups for p in group["params"]], 1.0)
            optimizer.step()
            if player == GENERATOR:
                said.append({name: float(value.detach()) for name, value in terms.items()})
    assert all(np.isfinite(list(terms.values())).all() for terms in said)
    for name in ("image", "seg"):
        assert said[-1][name] < 0.8 * said[0][name], said


def test_a_batch_holds_what_was_drawn_and_hides_the_rest():
    recipe = um_recipe()
    assert recipe.streams == ("labelled", "unlabelled")
    batch = um_batch(recipe, times=4)
    assert {tuple(value.shape) for value in batch.values()} == {(8, 1, 32, 32)}
    known = batch["known"].flatten(1).amax(1)
    assert known[0::2].all()
    assert not known[1::2].any()
    assert not batch["lesion"][1::2].any()
    assert batch["lesion"][0::2].any()
    assert um_recipe(no_unlabelled=True).streams == um_recipe(guide="mask").streams == ("labelled",)


def test_so_many_drawn_slices_are_used_and_the_others_are_forgotten():
    scans = some_scans()
    whole, few = sorted_units(scans, UmOptions(**SMALL)), sorted_units(scans, UmOptions(**SMALL, labels=3))
    assert len(few.ill) == 3
    assert {few.scans[unit.scan].subject for unit in few.ill} == {"first", "second"}
    assert set(few.ill) <= set(whole.ill)
    assert not few.calm
    shown = [sum(int(lesion.any(axis=(1, 2)).sum()) for lesion in one.lesions) for one in (few, whole)]
    assert shown[0] == 3 < shown[1]
    assert set(few.unlabelled) >= set(whole.ill) - set(few.ill)
    assert few.ill == sorted_units(scans, UmOptions(**SMALL, labels=3)).ill
    assert few.ill != sorted_units(scans, UmOptions(**SMALL, labels=3, label_seed=1)).ill


def test_pseudo_labels_count_where_the_discriminator_believes_them():
    recipe = um_recipe()
    batch = um_batch(recipe, times=2)
    networks, teachers = um_networks(recipe)

    class Verdict(torch.nn.Module):
        """Answers the same everywhere."""

        def __init__(self, answer):
            super().__init__()
            self.answer = answer

        def forward(self, seen):
            return [torch.full((len(seen), 1, 4, 4), self.answer) + 0 * seen.mean()]

    def terms(answer, **options):
        chosen = replace(recipe.options, **options)
        return generator_loss({**networks, "discriminator": Verdict(answer)}, teachers, batch, chosen)

    assert terms(0.4)["passed"] == 0
    assert terms(0.4)["unl"] == 0
    assert terms(0.6)["passed"] == pytest.approx(1)
    assert terms(0.6)["unl"] > 0
    assert terms(0.4, sure=0.3)["unl"] == pytest.approx(float(terms(0.6)["unl"]))
    assert terms(0.4, no_gate=True)["unl"] == pytest.approx(float(terms(0.6)["unl"]))
    assert "unl" not in terms(0.6, no_unlabelled=True)


def test_halves_of_a_batch_give_what_the_whole_gives():
    recipe = um_recipe(no_unlabelled=True)
    batch = um_batch(recipe, times=4)
    networks, teachers = um_networks(recipe)
    halves = [{key: value[part] for key, value in batch.items()} for part in (slice(0, 2), slice(2, 4))]
    for loss in (
        lambda rows: generator_loss(networks, teachers, rows, recipe.options)["loss"],
        lambda rows: discriminator_loss(networks, rows)["loss"],
    ):
        whole = loss(batch)
        assert torch.stack([loss(half) for half in halves]).mean().item() == pytest.approx(whole.item(), rel=1e-4)


def test_the_trainer_runs_it_and_checks_it(tmp_path):
    recipe = um_recipe()
    weights = train(recipe, tmp_path / "run", QUICK)
    assert set(weights) == {"generator", "discriminator"}
    last = json.loads((tmp_path / "run" / "log.jsonl").read_text().splitlines()[-1])
    assert 0 <= last["check_dice"] <= 1
    assert last["check_error"] > 0
    assert (tmp_path / "run" / "example.png").read_bytes()[:4] == b"\x89PNG"


def test_one_drawn_subject_is_remarked_on(tmp_path):
    scans = [coarse_scan(a_scan("first", 1, "labelled")), coarse_scan(a_scan("third", 3, "unlabelled"))]
    told = []
    train(um_recipe(scans), tmp_path / "run", replace(QUICK, steps=1, checks=0), warn=told.append)
    assert len(told) == 1
    assert "one subject only (first)" in told[0]
    assert not um_recipe().remarks


def test_material_that_teaches_nothing_is_refused():
    healthy = [coarse_scan(a_scan("first", 1, "normal")), coarse_scan(a_scan("third", 3, "unlabelled"))]
    with pytest.raises(InputError, match="no lesion is drawn"):
        sorted_units(healthy, UmOptions(**SMALL))
    assert sorted_units(healthy, UmOptions(**SMALL), lesions_needed=False).unlabelled
    flat = some_scans()[0]
    flat = replace(flat, image=np.where(flat.brain, np.float32(0.4), np.float32(0)))
    with pytest.raises(InputError, match="case 'first_flair': its foreground shows nothing"):
        sorted_units([flat], UmOptions(**SMALL))


def test_the_training_module_is_told_of_it():
    from pseudonormal.server.catalogue import recipes

    offered = {entry["name"]: entry for entry in recipes()}
    assert "superpixels" in offered["um"]["explanation"]
    assert offered["um"]["trainable"]
    assert offered["um"]["makes"] == "scans"  # no model comes of a case store by it
    assert offered["smile"]["makes"] == "model"
