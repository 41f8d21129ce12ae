"""The fast biharmonic fill: as good as scikit-image's direct solution, on any shape of hole."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from skimage.restoration import inpaint_biharmonic

from pseudonormal.fills.biharmonic import biharmonic_fill

SHAPE = (30, 32, 34)


def an_image(seed: int = 0) -> np.ndarray:
    """Smooth structure with texture on a large offset, as in a scan."""
    noise = np.random.default_rng(seed).standard_normal(SHAPE)
    smooth = ndimage.gaussian_filter(noise, 3)
    return (100 + 30 * smooth / smooth.std() + ndimage.gaussian_filter(noise, 0.8) * 5).astype(np.float32)


def a_ball(centre: tuple[int, int, int], radius: float) -> np.ndarray:
    grid = np.indices(SHAPE) - np.reshape(centre, (3, 1, 1, 1))
    return (grid**2).sum(axis=0) <= radius**2


def a_box(*spans: tuple[int, int]) -> np.ndarray:
    mask = np.zeros(SHAPE, bool)
    mask[tuple(slice(*span) for span in spans)] = True
    return mask


HOLES = {
    "a ball": a_ball((15, 16, 17), 5),
    "a plate": a_box((14, 16), (6, 24), (8, 26)),
    "a ring": a_ball((15, 16, 17), 6) & ~a_ball((15, 16, 17), 4),
    "scattered": np.random.default_rng(1).random(SHAPE) < 0.03,
    "two far apart": a_ball((7, 8, 8), 3) | a_ball((22, 24, 26), 4),
    "two with one voxel between": a_box((10, 14), (10, 14), (10, 14)) | a_box((15, 19), (10, 14), (10, 14)),
    "two that touch at a corner": a_box((10, 14), (10, 14), (10, 14)) | a_box((14, 18), (14, 18), (14, 18)),
    "at a face": a_box((0, 6), (10, 18), (10, 18)),
    "in a corner": a_box((24, 30), (0, 6), (28, 34)),
}


@pytest.mark.parametrize("hole", HOLES.values(), ids=HOLES.keys())
def test_equals_the_direct_solution(hole: np.ndarray) -> None:
    image = an_image()
    fast = biharmonic_fill(image, hole)
    direct = inpaint_biharmonic(image.astype(np.float64), hole)

    assert np.array_equal(fast[~hole], image[~hole])
    spread = image.std()
    assert np.abs(fast - direct)[hole].max() < 0.01 * spread
    errors = [np.sqrt(((filled - image)[hole] ** 2).mean()) for filled in (fast, direct)]
    assert abs(20 * np.log10(errors[0] / errors[1])) < 0.1


@pytest.mark.parametrize("hole", [HOLES["a ball"], HOLES["in a corner"], HOLES["scattered"]])
def test_a_constant_stays_a_constant(hole: np.ndarray) -> None:
    image = np.full(SHAPE, 1234.5, np.float32)
    assert np.allclose(biharmonic_fill(np.where(hole, -7, image).astype(np.float32), hole), image, rtol=1e-6)


@pytest.mark.parametrize("hole", [HOLES["a ball"], HOLES["a plate"], HOLES["two with one voxel between"]])
def test_a_ramp_is_continued(hole: np.ndarray) -> None:
    z, y, x = np.indices(SHAPE)
    ramp = (50 + 2 * z - 3 * y + 0.5 * x).astype(np.float32)
    filled = biharmonic_fill(np.where(hole, 0, ramp).astype(np.float32), hole)
    assert np.abs(filled - ramp).max() < 1e-3 * ramp.std()


@settings(max_examples=25)
@given(
    st.lists(st.tuples(*(st.integers(0, n - 1) for n in SHAPE)), min_size=1, max_size=40),
    st.integers(0, 3),
    st.booleans(),
)
def test_what_holes_show_never_matters(points: list[tuple[int, int, int]], seed: int, stripped: bool) -> None:
    hole = np.zeros(SHAPE, bool)
    hole[tuple(np.array(points).T)] = True
    within = a_ball((15, 16, 17), 13) if stripped else None
    image = an_image(seed)
    other = np.where(hole, np.random.default_rng(seed).uniform(-1e5, 1e5, SHAPE), image).astype(np.float32)

    filled = biharmonic_fill(image, hole, within=within)

    assert np.array_equal(filled, biharmonic_fill(other, hole, within=within))
    assert np.array_equal(filled[~hole], image[~hole])
    assert np.isfinite(filled).all()


def test_air_is_left_out() -> None:
    brain = a_ball((15, 16, 17), 11)
    tissue = np.float32(100) + np.indices(SHAPE)[0].astype(np.float32)
    image = np.where(brain, tissue, 0).astype(np.float32)
    hole = brain & a_ball((15, 16, 26), 5)  # at the brain's surface

    aware = biharmonic_fill(image, hole, within=brain)
    blind = biharmonic_fill(image, hole)

    assert np.abs(aware - tissue)[hole].mean() < 2
    assert np.abs(blind - tissue)[hole].mean() > 10


def test_a_part_outside_the_brain_is_continued_from_what_is_around_it() -> None:
    brain = a_ball((15, 16, 10), 8)
    image = np.where(brain, 100, 20).astype(np.float32)
    hole = a_ball((15, 16, 10), 3) | a_ball((15, 16, 29), 2)

    filled = biharmonic_fill(np.where(hole, 999, image).astype(np.float32), hole, within=brain)

    assert np.allclose(filled, image, atol=1e-2)


def test_nothing_to_fill_and_nothing_to_fill_from() -> None:
    image = an_image()
    assert np.array_equal(biharmonic_fill(image, np.zeros(SHAPE, bool)), image)
    assert not biharmonic_fill(image, np.ones(SHAPE, bool)).any()


def test_other_types_come_back_as_float32() -> None:
    image = an_image().astype(np.int16)
    hole = HOLES["a ball"]
    assert biharmonic_fill(image, hole).dtype == np.float32
