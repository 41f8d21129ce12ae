"""Finding the brain and its lesions, on any field of view."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import nn

from pseudonormal.errors import InputError
from pseudonormal.evaluate.detection import dice
from pseudonormal.models.bundle import DEFAULT_MODEL, SHIPPED_MODELS, Calibration, Model, load_model
from pseudonormal.networks.restorer import RestorerNetwork
from pseudonormal.recipes.brain import brain_network
from pseudonormal.recipes.detection import SUSPECT, lesion_mask, lesion_probability, with_suspects
from pseudonormal.recipes.foreground import find_brain
from pseudonormal.recipes.lesion import network_input


def a_model(brain: nn.Module, lesion: nn.Module) -> Model:
    return Model(
        name="by-hand",
        version="1",
        fingerprint="0",
        device=torch.device("cpu"),
        brain=brain.eval(),
        lesion=lesion.eval(),
        restore=nn.Identity(),
        calibration=Calibration(),
        trained_families=(),
    )


@pytest.fixture(scope="module")
def a_simple_model() -> Model:
    """Calls brain what is brighter than the mean, and lesion what is more than 3 sigma bright."""
    bright = nn.Conv3d(2, 1, 1)
    with torch.no_grad():
        bright.weight.copy_(torch.tensor([4.0, 0.0]).view(1, 2, 1, 1, 1))
        assert bright.bias is not None
        bright.bias.fill_(-12.0)
    return a_model(nn.Identity(), bright)


def an_ellipsoid(shape: tuple[int, ...], centre: tuple[float, ...], radii: tuple[float, ...]) -> np.ndarray:
    grid = np.ogrid[tuple(slice(n) for n in shape)]
    return sum(((g - c) / r) ** 2 for g, c, r in zip(grid, centre, radii, strict=True)) < 1


RADII = (32, 40, 34)
FIELDS = {
    "odd sizes": ((81, 97, 83), (40, 48, 41)),
    "wide": ((80, 90, 231), (40, 45, 160)),
    "long and off centre": ((250, 90, 80), (200, 45, 40)),
    "few slices": ((47, 95, 91), (20, 47, 45)),
    "cut by the field of view": ((90, 90, 60), (45, 45, 50)),
}


@pytest.mark.parametrize(("shape", "centre"), FIELDS.values(), ids=FIELDS.keys())
def test_the_brain_is_found_where_it_is(
    shape: tuple[int, ...], centre: tuple[float, ...], a_simple_model: Model
) -> None:
    brain = an_ellipsoid(shape, centre, RADII)
    image = np.where(brain, 800, -100).astype(np.float32)
    image += np.random.default_rng(0).normal(0, 20, shape).astype(np.float32)
    image[an_ellipsoid(shape, centre, (4, 4, 4))] = -100  # a hole

    found = find_brain(image, a_simple_model)

    assert found.shape == shape and found.dtype == bool
    assert dice(found, brain) > 0.92  # where half of the contrast lies depends on how much is background
    assert np.allclose(ndimage.center_of_mass(found), ndimage.center_of_mass(brain), atol=0.6)
    assert ndimage.label(found)[1] == 1
    assert found[tuple(round(c) for c in centre)]


def test_of_two_bright_things_the_larger_is_the_brain(a_simple_model: Model) -> None:
    shape = (84, 96, 130)
    brain, other = an_ellipsoid(shape, (42, 48, 45), RADII), an_ellipsoid(shape, (42, 48, 110), (12, 12, 12))
    found = find_brain(np.where(brain | other, 100, 0).astype(np.float32), a_simple_model)
    assert not (found & other).any()


@pytest.mark.parametrize("shape", [(20, 25, 30), (5, 9, 13), (1, 40, 40), (70, 70, 70)])
def test_a_picture_without_a_brain_is_refused(shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    network = brain_network()
    image = np.random.default_rng(0).normal(0, 1, shape).astype(np.float32)
    image[0, 0, 0] = 5
    small = a_model(nn.Sequential(network, nn.Hardtanh(-2.0, -1.0)), nn.Identity())
    with pytest.raises(InputError, match="no brain was found"):
        find_brain(image, small)


@pytest.mark.parametrize("shape", [(37, 41, 39), (150, 40, 33)])
def test_probability_is_the_networks_whatever_the_window(shape: tuple[int, ...], a_simple_model: Model) -> None:
    centre = tuple(n / 2 for n in shape)
    brain = an_ellipsoid(shape, centre, tuple(0.45 * n for n in shape))
    image = np.random.default_rng(0).normal(500, 50, shape).astype(np.float32)
    image[an_ellipsoid(shape, centre, (5, 5, 5))] = 900
    image[~brain] = 1e4

    probability = lesion_probability(image, brain, a_simple_model)

    expected = np.where(brain, 1 / (1 + np.exp(12 - 4 * network_input(image, brain))), 0)
    assert probability.shape == shape and probability.dtype == np.float32
    assert not probability[~brain].any()
    assert np.abs(probability - expected).max() < 0.1  # half precision
    mask = lesion_mask(probability, Calibration(lesion_threshold=0.5, sure_probability=0.0, least_ml=0.1))
    assert dice(mask, an_ellipsoid(shape, centre, (5, 5, 5))) > 0.95


def test_a_brain_at_the_border_is_looked_at_whole(a_simple_model: Model) -> None:
    brain = np.ones((20, 24, 22), bool)
    image = np.random.default_rng(0).normal(0, 1, brain.shape).astype(np.float32)
    image[:3, :3, :3] = 10
    assert (lesion_probability(image, brain, a_simple_model)[:3, :3, :3] > 0.9).all()


def test_no_foreground_and_no_contrast_are_refused(a_simple_model: Model) -> None:
    image = np.ones((10, 10, 10), np.float32)
    for brain in (np.zeros(image.shape, bool), np.ones(image.shape, bool)):
        with pytest.raises(InputError):
            lesion_probability(image, brain, a_simple_model)


def test_small_regions_are_dropped_and_corners_connect() -> None:
    probability = np.zeros((12, 12, 12), np.float32)
    probability[1:3, 1:3, 1:3] = 0.6  # 8 voxels
    probability[3:5, 3:5, 3:5] = 0.5  # touches at a corner: 16 in all
    probability[8:10, 8:10, 8:10] = 0.9  # 8 voxels alone
    assert lesion_mask(probability, Calibration(lesion_threshold=0.5, sure_probability=0.0, least_ml=0.016)).sum() == 16
    assert lesion_mask(probability, Calibration(lesion_threshold=0.5, sure_probability=0.0, least_ml=0.008)).sum() == 24
    assert lesion_mask(probability, Calibration(lesion_threshold=0.55, sure_probability=0.0, least_ml=0.0)).sum() == 16
    assert not lesion_mask(probability, Calibration(lesion_threshold=0.95, sure_probability=0.0, least_ml=0.0)).any()


@pytest.mark.skipif(not (SHIPPED_MODELS / DEFAULT_MODEL).is_dir(), reason="no model is shipped with this checkout")
def test_the_shipped_model_finds_the_brain_of_a_painted_head() -> None:
    shape, centre = (168, 200, 170), (90, 100, 85)
    brain, white = an_ellipsoid(shape, centre, (62, 80, 66)), an_ellipsoid(shape, centre, (52, 68, 54))
    image = np.full(shape, 10.0, np.float32)
    image[an_ellipsoid(shape, centre, (76, 94, 80))] = 120  # scalp
    image[an_ellipsoid(shape, centre, (71, 89, 75))] = 20  # skull
    image[an_ellipsoid(shape, centre, (66, 84, 70))] = 35  # fluid
    image[brain], image[white] = 85, 110
    image[an_ellipsoid(shape, centre, (16, 22, 9))] = 30  # ventricles
    image = ndimage.gaussian_filter(image, 0.7) + np.random.default_rng(0).normal(0, 3, shape).astype(np.float32)
    model = load_model()

    found = find_brain(image.astype(np.float32), model)

    assert dice(found, brain) > 0.85
    assert isinstance(model.restore, RestorerNetwork)
    lesions = lesion_mask(lesion_probability(image.astype(np.float32), found, model), model.calibration)
    assert not (lesions & ~found).any()


def test_a_region_needs_a_sure_voxel_and_then_keeps_its_doubtful_ones() -> None:
    probability = np.zeros((12, 20, 20), np.float32)
    probability[2:6, 2:6, 2:6] = 0.3
    probability[3, 3, 3] = 0.95
    probability[8:11, 12:16, 12:16] = 0.6
    mask = lesion_mask(probability, Calibration(lesion_threshold=0.2, sure_probability=0.9, least_ml=0.0))
    assert mask.sum() == 64 and mask[2:6, 2:6, 2:6].all()


def test_what_may_be_diseased_beside_a_lesion_is_no_evidence() -> None:
    probability = np.zeros((20, 20, 20), np.float32)
    probability[4:12, 4:12, 4:12] = 2 * SUSPECT  # a doubtful shell
    probability[6:10, 6:10, 6:10] = 0.9
    probability[15:18, 15:18, 15:18] = 2 * SUSPECT  # doubtful too, but beside no lesion
    lesion = probability > 0.5
    wide = with_suspects(lesion, probability)
    assert wide[4:12, 4:12, 4:12].all()
    assert wide.sum() == 8**3
