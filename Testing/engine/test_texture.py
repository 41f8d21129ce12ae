"""Grain for the eye."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from pseudonormal.generate.texture import add_texture, gradient_magnitude

SHAPE = (44, 48, 52)


def a_brain(grain_mm: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A ball of two tissues with grain of a given coarseness, and its mask."""
    rng = np.random.default_rng(seed)
    z, y, x = np.indices(SHAPE) - np.array(SHAPE)[:, None, None, None] / 2
    brain = z**2 + y**2 + x**2 < 20**2
    tissue = 0.4 + 0.2 * (ndimage.gaussian_filter(rng.standard_normal(SHAPE), 5) > 0)
    tissue = ndimage.gaussian_filter(tissue, 0.7)
    grain = ndimage.gaussian_filter(rng.standard_normal(SHAPE), grain_mm)
    return np.where(brain, tissue + 0.03 * grain / grain.std(), 0.0).astype(np.float32), brain


def a_ball(radius: float, centre: tuple[int, int, int] = (22, 24, 26)) -> np.ndarray:
    z, y, x = np.indices(SHAPE) - np.array(centre)[:, None, None, None]
    return z**2 + y**2 + x**2 < radius**2


@pytest.mark.parametrize("grain_mm", [0.3, 0.6, 1.0])
@pytest.mark.parametrize("radius", [6, 11])
def test_the_gradient_comes_back(grain_mm: float, radius: float) -> None:
    image, brain = a_brain(grain_mm)
    lesion = a_ball(radius)
    smooth = np.where(lesion, ndimage.gaussian_filter(image, 2), image)
    truth = gradient_magnitude(image)[lesion].mean()
    textured = add_texture(smooth, lesion, np.where(lesion, 1.0, image), brain, seed=3)
    assert gradient_magnitude(smooth)[lesion].mean() < 0.7 * truth
    assert 0.8 < gradient_magnitude(textured.normal)[lesion].mean() / truth < 1.2
    (grain,) = textured.grains
    assert grain.gradient_after == pytest.approx(grain.gradient_wanted, rel=0.02)
    assert grain.amplitude > 0


def test_only_the_lesion_changes_and_the_seed_replays_it() -> None:
    image, brain = a_brain(0.5)
    lesion = a_ball(6) | a_ball(4, (22, 10, 26))
    smooth = np.where(lesion, 0.5, image).astype(np.float32)
    first, again, other = (add_texture(smooth, lesion, image, brain, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.normal[~lesion], smooth[~lesion])
    np.testing.assert_array_equal(first.normal, again.normal)
    assert first.grains == again.grains and len(first.grains) == 2
    assert np.abs(first.normal - other.normal)[lesion].mean() > 1e-3


def test_the_lesion_itself_is_never_read() -> None:
    image, brain = a_brain(0.5)
    lesion = a_ball(6)
    smooth = np.where(lesion, 0.5, image).astype(np.float32)
    poisoned = np.where(lesion, np.nan, image)
    np.testing.assert_array_equal(
        add_texture(smooth, lesion, poisoned, brain, 0).normal, add_texture(smooth, lesion, image, brain, 0).normal
    )


def test_the_grain_is_as_coarse_as_its_surroundings() -> None:
    def neighbours_agree(grain_mm: float) -> float:
        image, brain = a_brain(grain_mm)
        lesion = a_ball(10)
        smooth = np.where(lesion, ndimage.gaussian_filter(image, 3), image)
        added = add_texture(smooth, lesion, image, brain, 0).normal - smooth
        core = a_ball(7)
        return float(np.corrcoef(added[core], np.roll(added, 1, axis=2)[core])[0, 1])

    assert neighbours_agree(0.3) + 0.2 < neighbours_agree(1.0)


def test_no_grain_where_nothing_can_be_learnt() -> None:
    flat = np.full(SHAPE, 0.5, np.float32)
    everywhere = np.ones(SHAPE, bool)
    for lesion, brain in ((a_ball(6), everywhere), (everywhere, everywhere), (a_ball(6), a_ball(6))):
        result = add_texture(flat, lesion, flat, brain, 0)
        np.testing.assert_array_equal(result.normal, flat)
        assert all(grain.amplitude == 0 for grain in result.grains)
    assert add_texture(flat, ~everywhere, flat, everywhere, 0).grains == ()


def test_a_fill_as_rough_as_its_surroundings_is_left_alone() -> None:
    image, brain = a_brain(0.5)
    lesion = a_ball(6)
    rough = image + np.where(lesion, np.random.default_rng(0).normal(0, 0.2, SHAPE), 0).astype(np.float32)
    np.testing.assert_array_equal(add_texture(rough, lesion, image, brain, 0).normal, rough)


@pytest.mark.parametrize("shape", [(1, 40, 40), (3, 3, 3), (1, 1, 1)])
def test_thin_and_tiny_images(shape: tuple[int, int, int]) -> None:
    image = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    lesion = np.zeros(shape, bool)
    lesion[0, shape[1] // 2, shape[2] // 2] = True
    assert np.isfinite(add_texture(image, lesion, image, np.ones(shape, bool), 0).normal).all()
