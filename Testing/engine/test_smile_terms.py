"""What recipe ``smile`` minimises: which terms there are, what a flag takes out, and what teaches nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from Testing.smile_heads import a_scan, batch_of, networks_of, recipe_of, some_material, without_trust

from pseudonormal.recipes.smile.loss import composite
from pseudonormal.recipes.smile.recipe import JUDGE, MAKERS
from pseudonormal.training.trainable import Turn

ALL = {"sim", "seg", "unl", "id", "heal", "cyc", "adv"}
LATE = 0.95  # every ramp is up


@pytest.fixture(scope="module")
def material():
    return some_material()


def terms_of(recipe, batch, done=LATE, player=MAKERS):
    networks, teachers = networks_of(recipe)
    return recipe.loss(networks, batch, Turn(player, done, teachers))


def test_every_loss_says_something_late_and_the_supervised_ones_early(material):
    recipe = recipe_of(material)
    batch = batch_of(recipe)
    late = terms_of(recipe, batch)
    assert set(late) == ALL | {"loss", "gain_db"}
    assert all(torch.isfinite(value) for value in late.values())
    options = recipe.options
    total = sum(options.weight(name, LATE) * float(late[name]) for name in ALL)
    assert float(late["loss"].detach()) == pytest.approx(total, rel=1e-4)
    assert set(terms_of(recipe, batch, 0.0)) == {"sim", "seg", "id", "loss", "gain_db"}


@pytest.mark.parametrize(
    ("flag", "terms", "networks"),
    [
        ("no_unlabelled", {"unl"}, set()),
        ("no_simulation", {"sim", "gain_db"}, set()),
        ("no_painter", {"cyc"}, {"painter"}),
        ("no_adversary", {"adv"}, {"discriminator"}),
    ],
)
def test_each_flag_takes_out_its_part(material, flag, terms, networks):
    whole, part = recipe_of(material), recipe_of(material, **{flag: True})
    assert set(whole.networks()) - set(part.networks()) == networks
    assert set(whole.networks()) == {name for names in whole.players.values() for name in names}
    assert set(part.networks()) == {name for names in part.players.values() for name in names}
    assert set(terms_of(whole, batch_of(whole))) - set(terms_of(part, batch_of(part))) == terms


def test_the_restored_image_is_the_scan_itself_outside_the_mask(material):
    recipe = recipe_of(material)
    batch = batch_of(recipe)
    outside = batch["lesion"] == 0
    made = composite(torch.full_like(batch["observed"], 9.0), batch)
    assert torch.equal(made[outside], batch["observed"][outside])
    assert (made[~outside] == 9).all()


def gradients(recipe, batch, player=MAKERS):
    networks, teachers = networks_of(recipe)
    recipe.loss(networks, batch, Turn(player, LATE, teachers))["loss"].backward()
    return {
        f"{name}.{key}": parameter.grad
        for name in recipe.players[player]
        for key, parameter in networks[name].named_parameters()
    }


def test_a_region_that_a_reviewer_does_not_trust_teaches_nothing(material):
    # two reviewers who disagree only where neither is trusted train the same network, bit for bit
    box = (slice(8, 40), slice(16, 44), slice(28, 50))
    taught = []
    for drawn in (False, True):
        scan = without_trust(a_scan("first", 1, "labelled"), box)
        lesion = scan.lesion.copy()
        lesion[box] = drawn
        recipe = recipe_of(replace(material, labelled=[replace(scan, lesion=lesion)]))
        taught.append((batch_of(recipe, times=3), recipe))
    (first, recipe), (second, _) = taught
    assert (first["label"] != second["label"]).any()
    for player in (MAKERS, JUDGE):
        one, other = gradients(recipe, first, player), gradients(recipe, second, player)
        assert all(torch.equal(one[key], other[key]) for key in one if one[key] is not None)
        assert any(gradient is not None and gradient.any() for gradient in one.values())


def test_the_judges_turn_moves_nobody_else(material):
    recipe = recipe_of(material)
    networks, teachers = networks_of(recipe)
    batch = batch_of(recipe)
    recipe.loss(networks, batch, Turn(JUDGE, LATE, teachers))["loss"].backward()
    moved = {name for name, network in networks.items() if any(p.grad is not None for p in network.parameters())}
    assert moved == {"discriminator"}
    assert float(recipe.loss(networks, batch, Turn(JUDGE, 0.0, teachers))["loss"].detach()) == 0
