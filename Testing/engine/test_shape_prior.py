"""Shape space as a prior of recipe ``smile``."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from Testing.smile_heads import batch_of, networks_of, recipe_of, some_material

from pseudonormal.errors import InputError
from pseudonormal.lesions.ellipses import Ellipses
from pseudonormal.networks.mask_vae import MaskVae, vae_loss
from pseudonormal.recipes.shape.networks import shape_networks
from pseudonormal.recipes.shape.options import ShapeOptions
from pseudonormal.recipes.shape.prior import ShapePrior
from pseudonormal.recipes.smile.recipe import MAKERS
from pseudonormal.training.settings import Settings, write_settings
from pseudonormal.training.trainable import Turn

EDGE, MODEL = 32, Ellipses((0.2, 0.3), (1.0, 1.3), 0.05)


def a_run(folder, **changed):
    options = ShapeOptions(edge=EDGE, width=4, latent=8, **changed)
    folder.mkdir(exist_ok=True)
    write_settings(folder, "shape", Settings(), options)
    for name, network in shape_networks(options).items():
        save_file(network.state_dict(), folder / f"{name}.safetensors")
    return folder


def test_shapes_it_knows_cost_less_than_those_it_does_not():
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    vae = MaskVae(EDGE, latent=8, width=4, spatial_dims=2)
    optimizer = torch.optim.Adam(vae.parameters(), 5e-3)
    masks = torch.from_numpy(np.stack([MODEL.draw((EDGE, EDGE), rng) for _ in range(8)]))[:, None].float()
    for _ in range(60):
        loss = vae_loss(*vae(masks, torch.randn(8, 8)), masks, 0.01)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    prior = ShapePrior(vae.requires_grad_(False), EDGE, 2.0)
    fine = torch.nn.functional.interpolate(masks, scale_factor=2)
    everywhere = torch.ones_like(fine)
    torn = fine * (torch.arange(64) % 16 < 8)
    assert prior.loss(fine, everywhere) < prior.loss(torn, everywhere)
    assert prior.loss(torn, 0 * everywhere) == 0
    assert prior.loss(0 * fine, everywhere) == 0  # nothing found: no shape is asked for
    answer = torn.clone().requires_grad_()
    prior.loss(answer, everywhere).backward()
    assert answer.grad.abs().sum() > 0


@pytest.mark.parametrize("size", [(40, 40), (100, 90)])
def test_patches_of_any_size_are_judged(size):
    prior = ShapePrior(MaskVae(EDGE, latent=8, width=4, spatial_dims=2), EDGE, 2.0)
    found = prior._framed(torch.ones(2, 1, *size))
    assert found.shape == (2, 1, EDGE, EDGE)
    assert found.sum() == 2 * min(EDGE, size[0] // 2) * min(EDGE, size[1] // 2)


def test_smile_takes_it_as_an_option_that_is_off(tmp_path):
    material = some_material()
    run = a_run(tmp_path / "run", dimensions=2)
    assert recipe_of(material, dimensions=2)._prior is None
    recipe = recipe_of(material, dimensions=2, prior=str(run), prior_weight=0.5)
    networks, teachers = networks_of(recipe)
    terms = recipe.loss(networks, batch_of(recipe), Turn(MAKERS, 0.95, teachers))
    assert torch.isfinite(terms["prior"])
    off = replace(recipe.options, prior_weight=0.0)
    assert off.weight("prior", 0.95) == 0


def test_a_run_that_does_not_fit_is_refused(tmp_path):
    with pytest.raises(InputError, match="give a run with dimensions=3"):
        ShapePrior.of_run(a_run(tmp_path / "flat", dimensions=2), 3)
    with pytest.raises(InputError, match="no shape space"):
        ShapePrior.of_run(a_run(tmp_path / "patch", dimensions=2, patch_judge=True), 2)
