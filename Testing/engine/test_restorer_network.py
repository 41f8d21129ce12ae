"""The restorer network: what it is before training, and what it can never do."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from pseudonormal.networks.restorer import RestorerNetwork

SHAPE = (2, 1, 32, 32, 32)


@pytest.fixture(scope="module")
def a_fresh_network() -> RestorerNetwork:
    torch.manual_seed(0)
    return RestorerNetwork().eval()


@pytest.fixture(scope="module")
def a_trained_network() -> RestorerNetwork:
    """Any weights but those of the beginning."""
    torch.manual_seed(1)
    network = RestorerNetwork().eval()
    torch.nn.init.normal_(network.head.weight, std=0.3)
    return network


@pytest.fixture(scope="module")
def a_batch() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(2)
    lesion = torch.zeros(SHAPE)
    lesion[:, :, 10:20, 8:24, 12:22] = 1
    batch = {key: torch.randn(SHAPE, generator=generator) for key in ("fill", "smooth", "mirror")}
    mirrored = torch.ones(SHAPE)
    mirrored[:, :, :16] = 0
    batch["mirror"] = batch["mirror"] * mirrored
    seen = torch.randn(SHAPE, generator=generator) * lesion
    return {**batch, "mirrored": mirrored, "lesion": lesion, "seen": seen}


@torch.no_grad()
def test_untrained_it_is_a_blend_of_the_classical_fills(
    a_fresh_network: RestorerNetwork, a_batch: dict[str, Tensor]
) -> None:
    restored = a_fresh_network(**a_batch)
    known = a_batch["mirrored"] > 0.5
    smooth_share = torch.where(known, 1 / (2 + torch.e**-2), 0.5)
    mirror_share = torch.where(known, torch.e**-2 / (2 + torch.e**-2), 0.0)
    blend = a_batch["fill"] + smooth_share * a_batch["smooth"] + mirror_share * a_batch["mirror"]
    assert torch.allclose(restored.normal, blend, atol=1e-5)
    assert torch.allclose(restored.log_error, torch.tensor(-1.5))


@torch.no_grad()
def test_untrained_it_does_not_look_at_the_lesion(a_fresh_network: RestorerNetwork, a_batch: dict[str, Tensor]) -> None:
    void = a_batch | {"seen": torch.zeros(SHAPE)}
    assert torch.equal(a_fresh_network(**a_batch).normal, a_fresh_network(**void).normal)


@torch.no_grad()
def test_an_unknown_mirror_has_no_say_in_the_blend(
    a_fresh_network: RestorerNetwork, a_batch: dict[str, Tensor]
) -> None:
    other = a_batch | {"mirror": a_batch["mirror"] + 100 * (1 - a_batch["mirrored"])}
    difference = (a_fresh_network(**a_batch).normal - a_fresh_network(**other).normal).abs()
    assert difference.max() < 1e-6


@torch.no_grad()
def test_samples_of_a_batch_do_not_touch_each_other(
    a_trained_network: RestorerNetwork, a_batch: dict[str, Tensor]
) -> None:
    both = a_trained_network(**a_batch).normal
    alone = a_trained_network(**{key: value[:1] for key, value in a_batch.items()}).normal
    assert torch.allclose(both[:1], alone, atol=1e-4)


@torch.no_grad()
def test_trained_it_can_look_and_it_says_what_it_expects(
    a_trained_network: RestorerNetwork, a_batch: dict[str, Tensor]
) -> None:
    guided, void = (a_trained_network(**a_batch | {"seen": seen}) for seen in (a_batch["seen"], torch.zeros(SHAPE)))
    assert guided.normal.shape == guided.log_error.shape == SHAPE
    assert not torch.allclose(guided.normal, void.normal)
    assert guided.log_error.min() >= -6 and guided.log_error.max() <= 3
    assert guided.normal.dtype == torch.float32


def test_it_learns_from_its_first_step(a_batch: dict[str, Tensor]) -> None:
    torch.manual_seed(3)
    network = RestorerNetwork()
    restored = network(**a_batch)
    loss = ((restored.normal - a_batch["mirror"]) ** 2 * a_batch["lesion"]).sum() + restored.log_error.sum()
    loss.backward()
    assert network.head.weight.grad is not None and network.head.weight.grad.abs().max() > 0
