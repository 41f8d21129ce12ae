"""The losses of recipe ``smile`` by their formulas, and that they are blind where nothing is to be learnt."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pseudonormal.errors import InputError
from pseudonormal.losses import (
    consistency,
    energy_score,
    least_squares,
    row_mean,
    segmentation_loss,
    still_found,
)
from pseudonormal.recipes.smile.options import SmileOptions

SHAPES = ((3, 1, 6, 5), (2, 1, 4, 5, 6))


def drawn(shape, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).standard_normal(shape)).float()


def half_trusted(shape):
    weight = torch.ones(shape)
    weight[..., : shape[-1] // 2] = 0
    return weight


TERMS = {
    "segmentation": lambda x, w: segmentation_loss(x, (drawn(x.shape, 1) > 0).float(), w),
    "consistency": lambda x, w: consistency(x, drawn(x.shape, 1).sigmoid(), w, 0.55),
    "still found": still_found,
    "energy": lambda x, w: energy_score(x, x * drawn(x.shape, 2), drawn(x.shape, 3), w),
    "identity": lambda x, w: row_mean((x - drawn(x.shape, 1)).abs(), w),
    "least squares": lambda x, w: least_squares(x, 1.0, w),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", TERMS)
def test_gradients_are_exactly_zero_where_nothing_is_trusted(name, shape):
    answer = drawn(shape).requires_grad_()
    weight = half_trusted(shape)
    TERMS[name](answer, weight).backward()
    assert (answer.grad[weight == 0] == 0).all()
    assert (answer.grad[weight > 0] != 0).any()


@pytest.mark.parametrize("name", TERMS)
def test_halves_of_a_batch_give_what_the_whole_gives(name):
    # processes that train together average over their rows
    shape = (4, 1, 6, 5)
    weight = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    random = drawn(shape)

    def loss(rows):
        # terms draw what they compare with by shape: give each row its own copy of one row's
        return torch.stack([TERMS[name](random[r : r + 1], weight[r : r + 1]) for r in rows]).mean()

    together = loss(range(4))
    assert ((loss([0, 1]) + loss([2, 3])) / 2).item() == pytest.approx(together.item(), rel=1e-5)


def test_a_row_mean_counts_each_row_alike():
    losses = torch.stack([torch.full((1, 4), 2.0), torch.full((1, 4), 8.0)])
    weight = torch.ones(2, 1, 4)
    weight[1, 0, 1:] = 0
    assert row_mean(losses, weight).item() == pytest.approx(5.0)
    assert row_mean(losses, 0 * weight).item() == 0


def test_the_teacher_is_believed_only_where_it_is_sure():
    logits = torch.zeros(1, 1, 1, 3)
    teacher = torch.tensor([[[[0.95, 0.6, 0.02]]]])
    alone = consistency(logits[..., [0, 2]], teacher[..., [0, 2]], torch.ones(1, 1, 1, 2), 0.9)
    assert consistency(logits, teacher, torch.ones(1, 1, 1, 3), 0.9).item() == pytest.approx(alone.item())
    sure = torch.tensor([[[[9.0, 0.0, -9.0]]]])
    assert consistency(sure, teacher, torch.ones(1, 1, 1, 3), 0.9).item() < alone.item() / 10


def test_the_energy_score_of_two_alike_draws_is_the_absolute_error():
    draw, truth, weight = drawn((2, 1, 5, 5)), drawn((2, 1, 5, 5), 1), torch.ones(2, 1, 5, 5)
    assert energy_score(draw, draw, truth, weight).item() == pytest.approx((draw - truth).abs().mean().item())


def test_the_energy_score_prefers_the_true_spread_to_the_median():
    rng = np.random.default_rng(0)
    truth, first, second = (torch.from_numpy(rng.normal(0, 1, (1, 1, 100_000))) for _ in range(3))
    weight = torch.ones_like(truth)
    scores = [energy_score(s * first, s * second, truth, weight).item() for s in (0.0, 0.5, 1.0, 2.0)]
    assert min(scores) == scores[2]


def test_what_is_still_found_pulls_hardest_where_it_is_surest():
    logits = torch.tensor([[[-6.0, 0.0, 6.0]]], requires_grad=True)
    still_found(logits, torch.ones(1, 1, 3)).backward()
    assert logits.grad.flatten().tolist() == sorted(logits.grad.flatten().tolist())
    assert logits.grad[0, 0, 2] > 0.3


def test_a_patch_counts_by_the_part_of_the_image_that_it_stands_for():
    logits = torch.tensor([[[[0.0, 5.0], [5.0, 5.0]]]])
    weight = torch.zeros(1, 1, 8, 8)
    weight[..., :4, :4] = 1
    assert least_squares(logits, 1.0, weight).item() == pytest.approx(1.0)


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_a_ramp_rises_from_nothing_to_the_weight(begin, length, done):
    end = min(1.0, begin + length)
    options = SmileOptions(heal_weight=0.3, heal_begin=begin, heal_end=end)
    now, later = options.weight("heal", done), options.weight("heal", min(1.0, done + 0.1))
    assert 0 <= now <= later <= 0.3
    if done < begin:
        assert now == 0
    if done >= end and done >= begin:
        assert now == 0.3


def test_what_is_left_out_weighs_nothing():
    left_out = SmileOptions(no_unlabelled=True, no_painter=True, no_adversary=True, no_simulation=True)
    assert [left_out.weight(term, 0.99) for term in ("unl", "cyc", "adv", "sim")] == [0, 0, 0, 0]
    assert left_out.weight("seg", 0.99) == 1


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"dimensions": 4}, "2 or 3"),
        ({"patch": 40}, "try 48"),
        ({"mask": "drawn"}, "oracle or predicted"),
        ({"labels": 1.5}, "share"),
        ({"sure": 1.0}, "not 1"),
        ({"adv_weight": -1.0}, "adv_weight"),
        ({"cyc_begin": 2.0}, "cyc_begin"),
    ],
)
def test_options_that_cannot_be_meant_are_refused(changed, said):
    with pytest.raises(InputError, match=said):
        SmileOptions(**changed)
