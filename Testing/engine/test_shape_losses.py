"""Losses for labels that may be wrong, and shape space."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from pseudonormal.errors import InputError
from pseudonormal.lesions.ellipses import Ellipses
from pseudonormal.losses import generalised_cross_entropy, noise_robust_dice, noise_weighted_dice, weighted_dice
from pseudonormal.networks.mask_vae import MaskVae, vae_loss
from pseudonormal.networks.translator import TranslatorNetwork
from pseudonormal.recipes.shape.learning import LearningOptions, LearningRecipe
from pseudonormal.recipes.shape.networks import judged, segmented, shape_networks
from pseudonormal.recipes.shape.options import ShapeOptions
from pseudonormal.training.trainable import Turn

SHAPES = ((4, 1, 6, 5), (4, 1, 4, 5, 6))


def some(shape, seed=0):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("shape", SHAPES)
def test_trusting_all_alike_is_plain_dice(shape):
    p, y = some(shape), (some(shape, 1) > 0.5).float()
    every = noise_weighted_dice(p, y, torch.ones(shape), torch.ones(len(p)))
    assert every.item() == pytest.approx(weighted_dice(p, y).item())


@pytest.mark.parametrize("shape", SHAPES)
def test_rows_and_voxels_that_are_not_trusted_teach_nothing(shape):
    p, y, weight = some(shape).requires_grad_(), (some(shape, 1) > 0.5).float(), torch.ones(shape)
    weight[..., :2] = 0
    noise_weighted_dice(p, y, weight, torch.tensor([1.0, 0.0, 1.0, 1.0])).backward()
    assert (p.grad[1] == 0).all()
    assert (p.grad[..., :2] == 0).all()
    assert (p.grad[[0, 2, 3]][..., 2:] != 0).all()


def test_the_controls_are_what_their_exponents_say():
    p, y = some(SHAPES[0]), (some(SHAPES[0], 1) > 0.5).float()
    assert generalised_cross_entropy(p, y, q=1.0).item() == pytest.approx((p - y).abs().mean().item(), rel=1e-5)
    entropy = torch.nn.functional.binary_cross_entropy(p, y)
    assert generalised_cross_entropy(p, y, q=1e-4).item() == pytest.approx(entropy.item(), rel=1e-2)
    squared = [((p - y) ** 2)[n].sum() / ((p**2 + y**2)[n].sum()) for n in range(4)]
    assert noise_robust_dice(p, y, gamma=2.0, smooth=0).item() == pytest.approx(torch.stack(squared).mean().item())
    for loss in (noise_robust_dice, generalised_cross_entropy):
        assert loss(y, y).item() == pytest.approx(0, abs=1e-3)
        assert loss(1 - y, y).item() > 0.5


def test_an_outlier_pulls_less_than_on_cross_entropy():
    logits = torch.tensor([[[[-6.0, 0.0]]]], requires_grad=True)
    generalised_cross_entropy(logits.sigmoid(), torch.ones(1, 1, 1, 2)).backward()
    assert logits.grad[0, 0, 0, 0].abs() < 0.2 * logits.grad[0, 0, 0, 1].abs()


def test_an_average_that_draws_too_large_does_not_make_right_labels_doubtful():
    rows, columns = torch.meshgrid(torch.arange(32.0), torch.arange(32.0), indexing="ij")
    inside = 9 - ((rows - 15) ** 2 + (columns - 15) ** 2).sqrt()  # distance to the true outline
    labels = torch.stack([inside > off for off in (0, 0, 0, 0, 0, -4, 4, 5)])[:, None].float()
    batch = {"picture": inside.expand(8, 1, 32, 32) + 2, "label": labels}  # seen two voxels too large
    batch |= {"sure": torch.ones_like(labels), "trust": torch.ones(8, 1, 1, 1)}
    recipe, as_it_is = LearningRecipe([], LearningOptions(dimensions=2)), {"segment": torch.nn.Identity()}
    ring, weights = (inside > -2) & (inside < 0), []
    for _ in range(40):
        batch["picture"].requires_grad_(True)
        recipe.loss(as_it_is, batch, Turn("segment", 0.9, as_it_is))["loss"].backward()
        pulls = batch["picture"].grad[:, 0, ring].abs().mean(1)
        batch["picture"] = batch["picture"].detach()
        weights.append(float(pulls[0] / pulls[5]))  # how much a right label says there, beside a dilated one
    assert weights[-1] > 2 * weights[0]


def test_shape_space_learns_masks_and_keeps_their_size():
    torch.manual_seed(0)
    rng, latent = np.random.default_rng(0), 8
    model = Ellipses((0.15, 0.35), (1.0, 1.3), 0.1)
    vae = MaskVae(32, latent=latent, width=4, spatial_dims=2)
    optimizer = torch.optim.Adam(vae.parameters(), 5e-3)
    masks = torch.from_numpy(np.stack([model.draw((32, 32), rng) for _ in range(8)]))[:, None].float()
    masks = masks.to(memory_format=torch.channels_last)  # as the trainer lays them out
    for _ in range(180):
        loss = vae_loss(*vae(masks, torch.randn(8, latent)), masks, 0.01)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        again = vae.shape_at(vae.place(masks)) > 0.5
    overlap = (2 * (again * masks).flatten(1).sum(1) / (again.flatten(1).sum(1) + masks.flatten(1).sum(1))).numpy()
    assert overlap.mean() > 0.85
    sizes = [part.flatten(1).sum(1).numpy() for part in (again, masks)]
    assert np.corrcoef(*sizes)[0, 1] > 0.95


@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize("changed", [{}, {"patch_judge": True}, {"no_calibration": True}])
def test_the_judge_speaks_to_the_generator_unless_it_is_told_not_to(dimensions, changed):
    torch.manual_seed(0)
    options = ShapeOptions(dimensions=dimensions, edge=32, width=4, latent=6, **changed)
    networks = shape_networks(options)
    picture = torch.randn(2, 1, *options.shape)
    first, last = segmented(networks, picture, learn_first=True)
    assert first.shape == last.shape == picture.shape
    assert torch.equal(first, last) == bool(changed.get("no_calibration"))
    _, word = judged(networks, (last > 0).float())
    assert len(word) == 2
    assert word.shape[1] == (1 if changed.get("patch_judge") else 7)
    mask = last.sigmoid()
    judged(networks, mask)[0].sum().backward()
    moved = {name: any(p.grad is not None and p.grad.any() for p in n.parameters()) for name, n in networks.items()}
    assert moved["segment"]  # what is said of a mask reaches who made it


def test_another_word_gives_another_answer():
    torch.manual_seed(0)
    network = TranslatorNetwork(1, width=4, feedback=3, spatial_dims=2)
    picture, words = torch.randn(1, 1, 16, 16), torch.randn(2, 3)
    encoded = network.encode(picture)
    one, other = (network.decode(encoded, word[None]) for word in words)
    assert not torch.allclose(one, other)
    assert network(picture).shape == picture.shape


@pytest.mark.parametrize(
    ("kind", "changed", "said"),
    [
        (ShapeOptions, {"dimensions": 4}, "2 or 3"),
        (ShapeOptions, {"edge": 40}, "multiple of 16"),
        (ShapeOptions, {"source": "nets"}, "ellipses"),
        (ShapeOptions, {"region": "leg"}, "brain or head"),
        (ShapeOptions, {"voxel_mm": 0.0}, "voxel_mm"),
        (ShapeOptions, {"lesion_ml": 9.0, "lesion_ml_high": 1.0}, "lesion_ml_high"),
        (ShapeOptions, {"prior_weight": -1.0}, "prior_weight"),
        (ShapeOptions, {"empty": 1.0}, "empty"),
        (LearningOptions, {"loss": "luck"}, "noise_weighted_dice"),
        (LearningOptions, {"gamma": 3.0}, "gamma"),
        (LearningOptions, {"q": 0.0}, "q="),
    ],
)
def test_options_that_cannot_be_meant_are_refused(kind, changed, said):
    with pytest.raises(InputError, match=said):
        kind(**changed)
