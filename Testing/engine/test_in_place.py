"""Lesions carried from one brain to the same place in another."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pseudonormal.lesions.in_place import SHIFT_MM, BrainFrame, InPlace

SHAPE = (60, 72, 56)
CENTRE = np.array([30.0, 36.0, 28.0])
RADII = np.array([22.0, 28.0, 20.0])
PLACE = np.array([4.0, -10.0, 9.0])  # of the lesion, from the brain's centre


def _ball(shape: tuple[int, ...], centre: np.ndarray, radii: np.ndarray | float) -> np.ndarray:
    grid = np.indices(shape) - np.reshape(centre, (3, 1, 1, 1))
    return ((grid / np.reshape(np.broadcast_to(radii, 3), (3, 1, 1, 1))) ** 2).sum(0) < 1


@pytest.fixture(scope="module")
def the_lesion_in_its_brain() -> InPlace:
    frame = BrainFrame.of(_ball(SHAPE, CENTRE, RADII))
    return InPlace([(_ball(SHAPE, CENTRE + PLACE, 4.0), frame), (np.zeros(SHAPE, bool), frame)])


@given(
    seed=st.integers(0, 2**31),
    scale=st.tuples(*[st.floats(0.8, 1.25)] * 3),
    moved=st.tuples(*[st.integers(-6, 6)] * 3),
)
def test_a_lesion_comes_to_its_place_in_a_brain_of_another_size(seed, scale, moved, the_lesion_in_its_brain) -> None:
    radii, centre = RADII * scale, np.array([38.0, 44.0, 36.0]) + moved
    other = BrainFrame.of(_ball((78, 90, 72), centre, radii))
    opacity = the_lesion_in_its_brain.draw(other, (0, 0, 0), (78, 90, 72), np.random.default_rng(seed))
    found = np.argwhere(opacity > 0.5).mean(0) - centre
    wanted = PLACE * scale
    assert abs(abs(found[2]) - wanted[2]) < 6 * SHIFT_MM  # left or right
    assert np.abs(found - wanted)[:2].max() < 6 * SHIFT_MM


def test_a_box_shows_what_the_whole_brain_shows_there(the_lesion_in_its_brain) -> None:
    frame = BrainFrame.of(_ball(SHAPE, CENTRE, RADII))
    whole = the_lesion_in_its_brain.draw(frame, (0, 0, 0), SHAPE, np.random.default_rng(3))
    part = the_lesion_in_its_brain.draw(frame, (20, 10, 12), (30, 40, 40), np.random.default_rng(3))
    np.testing.assert_allclose(part, whole[20:50, 10:50, 12:52], atol=1e-5)
    assert part.max() > 0.5


def test_empty_masks_are_left_out(the_lesion_in_its_brain) -> None:
    assert len(the_lesion_in_its_brain) == 1
