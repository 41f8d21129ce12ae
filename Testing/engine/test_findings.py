"""Findings: numbers, sides and words."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from pseudonormal.generate.findings import find, label_components
from pseudonormal.scan.scan import Geometry

HALF_AXES = np.array([68.0, 85.0, 60.0])
"""An egg of a brain: half its width, length and height in mm."""


def a_grid(axes: np.ndarray, centre_ras: np.ndarray, extent: float = 210.0, spacing: float = 3.0) -> Geometry:
    """A cube of a grid around a place.

    :param axes: (3, 3) whose columns are the RAS directions of the voxel axes.
    """
    count = int(extent / spacing)
    lps = np.diag([-1.0, -1.0, 1.0])
    origin_ras = centre_ras - axes @ np.full(3, spacing * (count - 1) / 2)
    origin, direction = lps @ origin_ras, lps @ axes
    return Geometry((count,) * 3, (spacing,) * 3, tuple(origin.tolist()), tuple(direction.ravel().tolist()))


def ras_of_voxels(geometry: Geometry) -> np.ndarray:
    """(D, H, W, 3) RAS mm, from the ITK definition and not from the code under test."""
    z, y, x = np.indices(geometry.shape)
    steps = np.stack([x, y, z], -1) * np.asarray(geometry.spacing)
    lps = np.asarray(geometry.origin) + steps @ np.reshape(geometry.direction, (3, 3)).T
    return lps * [-1, -1, 1]


def in_brain(geometry: Geometry, place: tuple[float, float, float], radius: float, centre: np.ndarray) -> tuple:
    """An egg-shaped brain and a ball-shaped lesion at ``place``, RAS mm from its centre."""
    ras = ras_of_voxels(geometry) - centre
    brain = ((ras / HALF_AXES) ** 2).sum(-1) < 1
    lesion = (((ras - place) ** 2).sum(-1) < radius**2) & brain
    return brain, lesion


PLACES = {
    (-40.0, 50.0, 30.0): ("left", "left, upper front of the brain, near the surface"),
    (40.0, 50.0, 30.0): ("right", "right, upper front of the brain, near the surface"),
    (-30.0, -55.0, -28.0): ("left", "left, lower back of the brain, near the surface"),
    (30.0, -20.0, 0.0): ("right", "right, middle of the brain, deep"),
    (-8.0, 10.0, 0.0): ("left", "left, middle of the brain, deep, beside the midline"),
    (1.0, 10.0, 0.0): ("midline", "across the midline, middle of the brain, deep"),
}


@pytest.mark.parametrize("signs", list(itertools.product([1.0, -1.0], repeat=3)))
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)])
def test_sides_and_words_hold_for_every_way_to_store_a_scan(
    signs: tuple[float, float, float], order: tuple[int, int, int]
) -> None:
    centre = np.array([300.0, -40.0, 12.0])
    geometry = a_grid(np.eye(3)[:, list(order)] * signs, centre)
    for place, (side, words) in PLACES.items():
        brain, lesion = in_brain(geometry, place, 7.0, centre)
        (finding,), _ = find(lesion, geometry, lesion.astype(np.float32), brain)
        assert (finding.side, finding.position) == (side, words), place
        np.testing.assert_allclose(finding.centroid_ras, np.array(place) + centre, atol=2.0)


@settings(max_examples=15, deadline=None)
@given(
    angles=st.tuples(*[st.floats(-180, 180)] * 3),
    mirrored=st.booleans(),
    place=st.sampled_from(list(PLACES)),
)
def test_sides_hold_on_oblique_grids(angles: tuple, mirrored: bool, place: tuple[float, float, float]) -> None:
    axes = Rotation.from_euler("xyz", angles, degrees=True).as_matrix() * ([-1.0, 1.0, 1.0] if mirrored else 1.0)
    centre = np.array([-500.0, 20.0, 7.0])
    geometry = a_grid(axes, centre, extent=240.0, spacing=4.0)
    brain, lesion = in_brain(geometry, place, 8.0, centre)
    (finding,), _ = find(lesion, geometry, lesion.astype(np.float32), brain)
    assert finding.side == PLACES[place][0]
    np.testing.assert_allclose(finding.centroid_ras, np.array(place) + centre, atol=3.0)


def test_a_cut_brain_is_told_and_its_cut_is_no_surface() -> None:
    centre = np.zeros(3)
    geometry = a_grid(np.eye(3), centre, spacing=3.0)
    brain, lesion = in_brain(geometry, (30.0, -20.0, 3.0), 6.0, centre)
    middle = brain.shape[0] // 2
    lower = Geometry((70, 70, 36), geometry.spacing, geometry.origin, geometry.direction)
    (whole,), _ = find(lesion, geometry, lesion * 1.0, brain)
    (cut,), _ = find(lesion[: middle + 1], lower, lesion[: middle + 1] * 1.0, brain[: middle + 1])
    assert whole.position == "right, middle of the brain, deep"
    assert cut.position.startswith("right, upper middle of the imaged part of the brain") and "deep" in cut.position


def test_largest_first_with_matching_labels_and_true_volumes() -> None:
    shape = (12, 14, 16)
    geometry = Geometry((16, 14, 12), (0.5, 2.0, 3.0), (0.0, 0.0, 0.0), tuple(np.eye(3).ravel()))
    lesion = np.zeros(shape, bool)
    lesion[1, 1, 1] = True
    lesion[5:8, 5:8, 5:8] = True
    lesion[10, 10, 9:12] = True
    findings, labels = find(lesion, geometry, lesion * 2.0, np.ones(shape, bool))
    assert [finding.index for finding in findings] == [1, 2, 3]
    assert [finding.volume_ml for finding in findings] == pytest.approx([27 * 0.003, 3 * 0.003, 0.003])
    assert findings[0].bounding_box == ((5, 8), (5, 8), (5, 8))
    assert (labels[6, 6, 6], labels[10, 10, 10], labels[1, 1, 1]) == (1, 2, 3)
    np.testing.assert_array_equal(labels > 0, lesion)


def test_voxels_that_share_a_corner_are_one_finding() -> None:
    lesion = np.zeros((4, 4, 4), bool)
    lesion[1, 1, 1] = lesion[2, 2, 2] = True
    assert label_components(lesion)[1] == 1
    lesion[2, 2, 2], lesion[3, 3, 3] = False, True
    assert label_components(lesion)[1] == 2


@pytest.fixture
def a_line() -> tuple[np.ndarray, Geometry, np.ndarray]:
    """Lesion of four voxels in a row, its grid and the brain."""
    lesion = np.zeros((3, 3, 8), bool)
    lesion[1, 1, 2:6] = True
    return lesion, Geometry((8, 3, 3), (1.0,) * 3, (0.0,) * 3, tuple(np.eye(3).ravel())), np.ones(lesion.shape, bool)


def test_peak_keeps_the_sign_of_the_largest_magnitude(a_line: tuple) -> None:
    lesion, geometry, brain = a_line
    z = np.zeros(lesion.shape, np.float32)
    z[1, 1, 2:6] = [1.0, -6.0, 4.0, np.nan]
    z[0] = 99.0
    (finding,), _ = find(lesion, geometry, z, brain)
    assert (finding.peak_z, finding.mean_z) == (-6.0, -0.25)


def test_confidence(a_line: tuple) -> None:
    lesion, geometry, brain = a_line
    z, half = lesion * 3.0, np.full(lesion.shape, 0.5)

    def confidence(**maps: np.ndarray) -> float | None:
        return find(lesion, geometry, z, brain, **maps)[0][0].confidence

    assert confidence() is None
    assert confidence(probability=half) == pytest.approx(0.5)
    assert confidence(expected_error=lesion * 0.0) == pytest.approx(1.0)
    assert confidence(expected_error=lesion * 3.0) == pytest.approx(0.5)
    assert confidence(probability=half, expected_error=lesion * 3.0) == pytest.approx(0.25)
    assert confidence(probability=half * 9) == 1.0
    unknown = confidence(expected_error=np.full(lesion.shape, np.nan))
    assert unknown is not None and unknown < 0.01


def test_modes() -> None:
    lesion = np.zeros((3, 3, 9), bool)
    lesion[1, 1, 1] = lesion[1, 1, 4:8] = True
    geometry = Geometry((9, 3, 3), (1.0,) * 3, (0.0,) * 3, tuple(np.eye(3).ravel()))
    numbers = np.zeros(lesion.shape, np.int32)
    numbers[..., :3], numbers[..., 3:] = 2, 1

    def modes(**given: object) -> list[str | None]:
        return [finding.mode for finding in find(lesion, geometry, lesion * 1.0, lesion, **given)[0]]

    assert modes() == [None, None]
    assert modes(modes=("void",)) == ["void", "void"]
    assert modes(modes=("void", "guided")) == ["guided", "void"]
    assert modes(modes=("void", "guided"), mode_labels=numbers) == ["void", "guided"]
    with pytest.raises(ValueError, match="modes"):
        modes(modes=("void", "guided"), mode_labels=numbers * 3)


def test_nothing_found(a_line: tuple) -> None:
    lesion, geometry, brain = a_line
    findings, labels = find(lesion & False, geometry, lesion * 1.0, brain)
    assert findings == [] and not labels.any() and labels.shape == lesion.shape
