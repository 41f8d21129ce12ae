"""Losses: values that can be worked out by hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from pseudonormal.losses import gradient_penalty, laplace_nll, log_squared_error, weighted_cross_entropy, weighted_dice

SHAPE = (2, 1, 4, 4, 4)


def half(value: float, rest: float = 0.0) -> Tensor:
    """``value`` in the lower half of each sample, ``rest`` in the upper one."""
    tensor = torch.full(SHAPE, rest)
    tensor[:, :, :2] = value
    return tensor


def test_dice_of_equal_and_of_disjoint_masks() -> None:
    mask = half(1.0)
    assert weighted_dice(mask, mask).item() == pytest.approx(0)
    assert weighted_dice(mask, 1 - mask, smooth=1e-6).item() == pytest.approx(1)


def test_dice_by_the_formula() -> None:
    # overlap 32 * 0.5, total 64 * 0.5 + 32
    expected = 1 - (2 * 16 + 3) / (64 + 3)
    assert weighted_dice(torch.full(SHAPE, 0.5), half(1.0), smooth=3).item() == pytest.approx(expected)


def test_dice_counts_each_sample_alike() -> None:
    probability, target = torch.zeros(SHAPE), torch.zeros(SHAPE)
    probability[0] = target[0] = 1  # a perfect large one and a missed small one
    target[1, 0, 0, 0, 0] = 1
    assert weighted_dice(probability, target, smooth=1e-6).item() == pytest.approx(0.5, abs=1e-3)


def test_cross_entropy_by_the_formula() -> None:
    logits = torch.zeros(SHAPE)
    assert weighted_cross_entropy(logits, half(1.0)).item() == pytest.approx(0.693147, abs=1e-5)
    assert weighted_cross_entropy(logits, half(1.0), torch.full(SHAPE, 3.0)).item() == pytest.approx(0.693147, abs=1e-5)


@pytest.mark.parametrize("loss", [weighted_dice, weighted_cross_entropy])
def test_voxels_of_weight_zero_are_ignored(loss: Callable[[Tensor, Tensor, Tensor], Tensor]) -> None:
    generator = torch.Generator().manual_seed(0)
    prediction, target = torch.rand(SHAPE, generator=generator), half(1.0)
    weight = half(1.0)
    elsewhere = prediction.clone()
    elsewhere[:, :, 2:] = torch.rand(2, 1, 2, 4, 4, generator=generator)
    elsewhere.requires_grad_()

    value = loss(elsewhere, target, weight)
    value.backward()

    assert value.item() == pytest.approx(loss(prediction, target, weight).item())
    assert elsewhere.grad is not None and not elsewhere.grad[:, :, 2:].any()


def test_nothing_to_trust_costs_nothing() -> None:
    nothing = torch.zeros(SHAPE)
    assert weighted_cross_entropy(torch.ones(SHAPE), nothing, nothing).item() == 0
    assert weighted_dice(torch.ones(SHAPE), nothing, nothing).item() == 0


def test_log_squared_error_looks_inside_the_mask_only() -> None:
    output = half(0.1, rest=9.0)
    assert log_squared_error(output, torch.zeros(SHAPE), half(1.0), floor=0).item() == pytest.approx(
        torch.log(torch.tensor(0.01)).item(), abs=1e-5
    )


def test_log_squared_error_rewards_each_lesion_alike() -> None:
    truth, mask = torch.zeros(SHAPE), torch.ones(SHAPE)
    both = torch.stack([torch.full(SHAPE[1:], 1.0), torch.full(SHAPE[1:], 0.1)])
    losses = [
        log_squared_error(both * torch.tensor(f).view(2, 1, 1, 1, 1), truth, mask) for f in ((0.5, 1.0), (1.0, 0.5))
    ]
    assert losses[0].item() == pytest.approx(losses[1].item(), abs=0.02)


def test_laplace_is_least_at_the_mean_absolute_error() -> None:
    error = torch.randn(SHAPE, generator=torch.Generator().manual_seed(1))
    mask = half(1.0)
    scales = torch.linspace(0.2, 2, 1000)
    losses = torch.stack([laplace_nll(scale.log().expand(SHAPE), error, mask) for scale in scales])
    assert scales[losses.argmin()].item() == pytest.approx(error[:, :, :2].abs().mean().item(), abs=0.01)


def test_laplace_by_the_formula() -> None:
    value = laplace_nll(torch.full(SHAPE, 0.5), torch.full(SHAPE, -2.0), half(1.0)).item()
    assert value == pytest.approx(2 * torch.exp(torch.tensor(-0.5)).item() + 0.5, abs=1e-5)


@given(st.floats(0.2, 3))
def test_the_gradient_penalty_is_that_of_the_slope(slope):
    real, made = torch.rand(3, 1, 4, 4), torch.rand(3, 1, 4, 4)
    direction = torch.full((1, 1, 4, 4), slope / 4)
    penalty = gradient_penalty(
        lambda x: (x * direction).flatten(1).sum(1, keepdim=True), real, made, torch.rand(3, 1, 1)
    )
    assert float(penalty) == pytest.approx((slope - 1) ** 2, abs=1e-4)
