"""Auxiliary masks of recipe ``shape``, the frame that they are judged in, and how its labels are cleaned."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pseudonormal.errors import InputError
from pseudonormal.lesions.ellipses import Ellipses
from pseudonormal.lesions.shapes import SmoothBlob
from pseudonormal.lesions.source import LesionSource
from pseudonormal.painting.ovals import oval_picture
from pseudonormal.recipes.shape.drawing import Drawing
from pseudonormal.recipes.shape.frame import Frame, slices_of
from pseudonormal.recipes.shape.labelling import cleaned
from pseudonormal.recipes.shape.masks import KnownMasks, SimulatedLesions
from pseudonormal.recipes.shape.material import Framed, ShapeMaterial
from pseudonormal.recipes.shape.options import ShapeOptions
from pseudonormal.regions import connected


def ball(shape, centre, radius):
    points = np.indices(shape) - np.reshape(centre, (-1, *[1] * len(shape)))
    return (points**2).sum(0) <= radius**2


def dice(one, other):
    return 2 * (one & other).sum() / (one.sum() + other.sum())


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.sampled_from([2, 3]), st.floats(0.1, 0.3), st.floats(0.0, 0.1), st.floats(1.0, 2.0))
def test_an_ellipse_has_the_volume_of_its_mean_semi_axis_and_lies_where_it_may(seed, dimensions, low, more, elongation):
    edge = 48
    model = Ellipses((low, low + more), (1.0, elongation), 0.0)
    mask = model.draw((edge,) * dimensions, np.random.default_rng(seed))
    unit = np.pi if dimensions == 2 else 4 / 3 * np.pi
    radius = (mask.sum() / unit) ** (1 / dimensions) / edge
    # what an elongated one would have beyond the frame is cut off
    assert radius <= low + more + 0.02
    if (low + more) * elongation ** (1 / 2) < 0.45:
        assert radius >= low - 0.02
        centre = np.argwhere(mask).mean(0)
        assert np.abs(centre - (edge - 1) / 2).max() < 1


@pytest.mark.parametrize(
    ("given_", "said"),
    [
        ({"radius": (0.3, 0.2)}, "radius"),
        ({"radius": (0.0, 0.2)}, "radius"),
        ({"elongation": (0.5, 2.0)}, "elongation"),
        ({"off_centre": 0.7}, "off_centre"),
    ],
)
def test_ranges_that_cannot_be_meant_are_refused(given_, said):
    with pytest.raises(InputError, match=said):
        Ellipses(**given_)


@pytest.mark.parametrize("shape", [(32, 32), (32, 32, 32)])
def test_known_masks_come_a_little_changed_every_time(shape):
    mask = ball(shape, [14.0] * len(shape), 8)
    source, rng = KnownMasks([mask]), np.random.default_rng(0)
    drawn = [source.draw(shape, rng) for _ in range(6)]
    assert all(dice(mask, one) > 0.6 for one in drawn)
    assert len({one.tobytes() for one in drawn}) == 6


def test_simulated_lesions_lie_in_a_brain_with_the_wanted_volume():
    brain = ball((24, 24, 24), (12, 12, 12), 9)
    source = SimulatedLesions(LesionSource([SmoothBlob()]), [brain], (4.0, 30.0), 4.0)
    rng = np.random.default_rng(0)
    for _ in range(5):
        mask = source.draw((24, 24, 24), rng)
        assert not (mask & ~brain).any()
        assert 1.0 < mask.sum() * 0.064 < 30
    assert source.draw((24, 24), rng).shape == (24, 24)


@settings(max_examples=25)
@given(
    st.tuples(*[st.integers(20, 44)] * 3), st.tuples(*[st.floats(0.3, 0.7)] * 3), st.floats(5, 8), st.floats(1.0, 2.0)
)
def test_a_mask_comes_back_from_the_frame(shape, where, radius, voxel_mm):
    mask = ball(shape, [share * n for share, n in zip(where, shape, strict=True)], radius)
    frame = Frame.around(mask, 32, voxel_mm)
    shown = frame.mask(mask)
    assert abs(shown.sum() * voxel_mm**3 / mask.sum() - 1) < 0.35
    back = frame.back(shown.astype(np.float32), shape) >= 0.5
    assert dice(back, mask) > 0.75
    finer = frame.finer(voxel_mm / 2)
    assert dice(frame.to(finer, shown.astype(np.float32)) >= 0.5, finer.mask(mask)) > 0.75


def test_slices_with_hardly_anything_are_not_looked_at():
    region = ball((20, 20, 20), (10, 10, 10), 8)
    assert slices_of(region) == list(range(3, 18))
    assert slices_of(np.zeros((4, 5, 5), bool)) == []


@pytest.mark.parametrize("dimensions", [2, 3])
def test_labels_are_cleaned_of_holes_and_crumbs(dimensions):
    mask = ball((16, 32, 32), (8, 14, 14), 7)
    spoilt = mask.copy()
    spoilt[8, 14, 14] = False
    spoilt[2:14, 28, 28] = True
    spoilt[8, 25:28, 5:8] = True
    done = cleaned(spoilt, dimensions=dimensions, one_piece=True)
    inside = mask.any(axis=(1, 2))
    assert (done[inside] == mask[inside]).all() if dimensions == 2 else (done == mask).all()
    several = cleaned(spoilt, dimensions=2, one_piece=False)
    assert not several[8, 28, 28]  # one voxel beside a large piece
    assert cleaned(np.zeros_like(mask), dimensions=dimensions, one_piece=True).sum() == 0


@pytest.mark.parametrize("kind", ["head", "disc"])
def test_a_picture_shows_its_object(kind):
    rng = np.random.default_rng(1)
    contrasts = []
    for _ in range(8):
        mask = Ellipses().draw((48, 48), rng)
        picture = oval_picture(mask, kind, rng)
        assert picture.shape == (48, 48)
        assert 0 <= picture.min() < picture.max() <= 1.2
        assert connected(mask[None])[1] == 1
        contrasts.append(picture[mask].mean() - picture[~mask].mean())
    assert np.mean(contrasts) < -0.1 if kind == "head" else np.mean(contrasts) > 0.1


@pytest.mark.parametrize("shape", [(32, 32), (32, 32, 32)])
@pytest.mark.parametrize("moved", [True, False])
def test_pictures_are_moved_where_auxiliary_masks_are(shape, moved):
    object_ = ball(shape, [16.0] * len(shape), 8)
    volume = object_.reshape(-1, 32, 32)
    scan = Framed("s", volume.astype(np.float32), np.ones_like(volume))
    masks = KnownMasks([object_]) if moved else Ellipses()
    drawing = Drawing(ShapeMaterial([scan], masks), ShapeOptions(dimensions=len(shape), edge=32))
    rng = np.random.default_rng(0)
    sample = next(drawing.samples(rng))
    rows = [drawing.row(sample, rng)["picture"] for _ in range(8)]
    assert {row.shape for row in rows} == {shape}
    middles = [np.argwhere(row > 0).mean(0)[0] for row in rows]  # up and down: mirrored are left and right
    assert (np.std(middles) > 0.3) == moved
