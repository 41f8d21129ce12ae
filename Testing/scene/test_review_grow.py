"""The brush that follows the difference map."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from PseudoNormalLib.review.grow import grow, shrink
from PseudoNormalLib.scene.findings import label_lesions
from PseudoNormalLib.scene.volumes import points_to_ras
from scipy.spatial.transform import Rotation

SHAPE = (14, 16, 12)
RADIUS = st.floats(0.5, 12)
THRESHOLD = st.floats(0.2, 3)


@st.composite
def grids(draw):
    """Oblique, anisotropic, sometimes mirrored."""
    matrix = np.eye(4)
    turned = Rotation.from_euler("xyz", [draw(st.floats(-180, 180)) for _ in range(3)], degrees=True).as_matrix()
    spacing = np.diag([draw(st.floats(0.5, 3)) * draw(st.sampled_from([1, -1])) for _ in range(3)])
    matrix[:3, :3] = turned @ spacing
    matrix[:3, 3] = [draw(st.floats(-100, 100)) for _ in range(3)]
    return matrix


@st.composite
def strokes(draw):
    """A grid, a mask and a difference map of blobs and noise, and a point that may lie outside the scan."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    matrix = draw(grids())
    mask = rng.random(SHAPE) < draw(st.sampled_from([0.0, 0.02, 0.5]))
    difference = rng.normal(0, 1.5, SHAPE)
    point = points_to_ras(matrix, rng.uniform(-3, np.array(SHAPE) + 3, (1, 3)))[0]
    return mask, difference, matrix, tuple(point)


def distances(matrix, point):
    voxels = np.argwhere(np.ones(SHAPE, bool))
    return np.linalg.norm(points_to_ras(matrix, voxels) - point, axis=1).reshape(SHAPE)


@given(strokes(), RADIUS, THRESHOLD)
def test_growing_adds_only_in_the_ball_and_above_the_threshold(stroke, radius, threshold):
    mask, difference, matrix, point = stroke
    grown = grow(mask, difference, matrix, point, radius_mm=radius, threshold=threshold)
    added = grown & ~mask
    assert (grown >= mask).all()
    assert (distances(matrix, point)[added] <= radius + 1e-6).all()
    assert (np.abs(difference[added]) >= threshold).all()


@given(strokes(), RADIUS, THRESHOLD)
def test_shrinking_removes_only_in_the_ball_and_below_the_threshold(stroke, radius, threshold):
    mask, difference, matrix, point = stroke
    shrunk = shrink(mask, difference, matrix, point, radius_mm=radius, threshold=threshold)
    removed = mask & ~shrunk
    assert (shrunk <= mask).all()
    assert (distances(matrix, point)[removed] <= radius + 1e-6).all()
    assert (np.abs(difference[removed]) < threshold).all()


@given(strokes(), RADIUS, THRESHOLD)
def test_everything_that_growing_adds_hangs_together_with_the_lesion_or_the_point(stroke, radius, threshold):
    mask, difference, matrix, point = stroke
    grown = grow(mask, difference, matrix, point, radius_mm=radius, threshold=threshold)
    labels, count = label_lesions(grown)
    own = np.unravel_index(np.argmin(distances(matrix, point)), SHAPE)
    for number in range(1, count + 1):
        assert mask[labels == number].any() or labels[own] == number


@given(strokes(), RADIUS, THRESHOLD)
def test_a_second_stroke_at_the_same_place_changes_nothing(stroke, radius, threshold):
    mask, difference, matrix, point = stroke
    for brush in (grow, shrink):
        once = brush(mask, difference, matrix, point, radius_mm=radius, threshold=threshold)
        assert (brush(once, difference, matrix, point, radius_mm=radius, threshold=threshold) == once).all()


def test_growing_fills_a_bright_ball_on_thick_oblique_slices_and_stops_at_its_rim():
    matrix = np.eye(4)
    turned = Rotation.from_euler("xyz", [20, -35, 50], degrees=True).as_matrix()
    matrix[:3, :3] = turned @ np.diag([-1.0, -1.2, 3.0])
    matrix[:3, 3] = (-20.0, 13.0, 40.0)
    shape = (20, 40, 44)
    middle = points_to_ras(matrix, np.array([[10, 20, 22]]))[0]
    apart = np.linalg.norm(points_to_ras(matrix, np.argwhere(np.ones(shape))) - middle, axis=1).reshape(shape)
    ball, brush = apart <= 9, apart <= 12
    difference = np.where(ball, -4.0, 0.5)  # darker than normal tissue stands out as well
    seed = np.zeros(shape, bool)
    seed[10, 20, 20] = True
    grown = grow(seed, difference, matrix, tuple(middle), radius_mm=12, threshold=2)
    assert (grown == ball).all()
    assert (shrink(brush, difference, matrix, tuple(middle), radius_mm=14, threshold=2) == ball).all()


def test_a_small_brush_at_the_edge_of_a_large_lesion_grows_it_only_there():
    difference = np.full(SHAPE, 5.0)
    mask = np.zeros(SHAPE, bool)
    mask[:, :, 0] = True
    grown = grow(mask, difference, np.eye(4), (1.0, 8.0, 7.0), radius_mm=2, threshold=2)
    assert grown[7, 8, 3] and not grown[7, 8, 4]
    assert not grown[12, 8, 1]


def test_shrinking_spares_a_faint_core_that_no_faint_path_leads_to():
    difference = np.zeros(SHAPE)
    difference[4:9, 4:9, 4:9] = 5
    difference[6, 6, 6] = 0
    mask = np.zeros(SHAPE, bool)
    mask[3:10, 3:10, 3:10] = True
    shrunk = shrink(mask, difference, np.eye(4), (3.0, 6.0, 6.0), radius_mm=30, threshold=2)
    assert (shrunk == (mask & (np.indices(SHAPE).min(0) >= 4) & (np.indices(SHAPE).max(0) <= 8))).all()
    assert shrunk[6, 6, 6]
    # A stroke at the very core says that it is none.
    at_core = shrink(mask, difference, np.eye(4), (6.0, 6.0, 6.0), radius_mm=1.5, threshold=2)
    assert not at_core[6, 6, 6]


def test_what_is_not_a_number_neither_grows_nor_shrinks():
    nothing = np.full(SHAPE, np.nan)
    mask = np.zeros(SHAPE, bool)
    mask[5:8, 5:8, 5:8] = True
    for brush in (grow, shrink):
        assert (brush(mask, nothing, np.eye(4), (6.0, 6.0, 6.0), radius_mm=5, threshold=1) == mask).all()
