"""Options that cannot be meant are refused by name, in every recipe that has some."""

from __future__ import annotations

import math

import pytest

from pseudonormal.errors import InputError
from pseudonormal.recipes.training import RECIPES


@pytest.mark.parametrize("recipe", [name for name, one in RECIPES.items() if one.options])
@pytest.mark.parametrize("number", [-0.1, math.inf, math.nan])
def test_no_loss_counts_less_than_nothing(recipe, number):
    options = RECIPES[recipe].options
    weights = [name for name in options.__dataclass_fields__ if name.endswith("_weight")]
    for name in weights:
        with pytest.raises(InputError, match=f"{name}={number}: must be at least 0"):
            options(**{name: number})


@pytest.mark.parametrize(
    ("recipe", "name", "wrong", "said"),
    [
        ("smile", "patch", 40, "a multiple of 16, 32 at least; try 48"),
        ("smile", "heal_end", 1.5, "a share of the training, from 0 to 1"),
        ("um", "voxel_mm", 0, "a whole number from 1 to 10"),
        ("translation", "maps", "photographs", "tissue, superpixels, groups, parcellation"),
        ("mask-gan", "penalty", 0.0, "above 0; without it"),
    ],
)
def test_it_says_what_an_option_may_be(recipe, name, wrong, said):
    with pytest.raises(InputError, match=f"{name}={wrong}: must be {said}"):
        RECIPES[recipe].options(**{name: wrong})


def test_what_holds_together_is_refused_together():
    with pytest.raises(InputError, match="method=felzenszwalb: must be slic in 3D"):
        RECIPES["um"].options(method="felzenszwalb", dimensions=3)
