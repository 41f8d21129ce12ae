"""Scans painted from label maps: tissues, contrasts, what a scanner adds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from pseudonormal.painting.contrast import HIGHEST_GROUP, SEQUENCES, draw_contrast
from pseudonormal.painting.render import bias_field, render, thicken
from pseudonormal.painting.tissues import GROUPS, SULCAL_CSF, brain_of, group_numbers, is_intracranial

NAMES = list(GROUPS)
SKULL, SCALP = 515, 516


def a_ball(radius: float, edge: int = 48) -> np.ndarray:
    grid = np.indices((edge, edge, edge)) - (edge - 1) / 2
    return (grid**2).sum(axis=0) <= radius**2


@pytest.fixture(scope="module")
def a_head() -> np.ndarray:
    """Scalp, skull, CSF, cortex, white matter and a ventricle, one in the other."""
    labels = np.zeros((48, 48, 48), np.int16)
    for radius, label in ((23, SCALP), (21, SKULL), (19, SULCAL_CSF), (17, 3), (13, 2), (4, 4)):
        labels[a_ball(radius)] = label
    return labels


def test_every_label_has_one_group() -> None:
    numbers = [number for labels in GROUPS.values() for number in labels]
    assert len(numbers) == len(set(numbers))
    for index, labels in enumerate(GROUPS.values()):
        assert (group_numbers(np.array(labels)) == index).all()


def test_both_sides_share_a_group_and_each_extracerebral_label_has_its_own() -> None:
    assert group_numbers(np.array([2]))[0] == group_numbers(np.array([41]))[0] == NAMES.index("white_matter")
    outside = group_numbers(np.arange(500, 564))
    assert len(set(outside.tolist())) == 64
    assert outside.min() == len(GROUPS) and outside.max() < HIGHEST_GROUP


@given(arrays.arrays(np.int32, (2, 3, 4), elements=st.integers(-(2**31), 2**31 - 1)))
def test_unknown_labels_are_air(labels: np.ndarray) -> None:
    groups = group_numbers(labels)
    assert groups.dtype == np.uint8 and groups.shape == labels.shape
    known = {number for numbers in GROUPS.values() for number in numbers} | set(range(500, 564))
    assert not groups[~np.isin(labels, list(known))].any()


def test_the_brain_holds_its_ventricles_but_not_the_fluid_around_it(a_head: np.ndarray) -> None:
    brain = brain_of(a_head)
    assert brain.dtype == bool
    assert brain[a_ball(17)].all()
    assert not brain[~a_ball(18)].any()


def test_a_narrow_sulcus_is_closed_and_a_hole_is_filled(a_head: np.ndarray) -> None:
    labels = a_head.copy()
    labels[23:25, :16, :][a_head[23:25, :16, :] == 3] = SULCAL_CSF
    labels[30:33, 24:27, 24:27] = 0
    brain = brain_of(labels)
    assert brain[23:25, 9:14, 24].all()
    assert brain[30:33, 24:27, 24:27].all()


def test_a_brain_that_touches_the_border_stays_whole(a_head: np.ndarray) -> None:
    cut = a_head[20:]
    assert np.array_equal(brain_of(cut)[4:], brain_of(a_head)[24:])


@pytest.mark.parametrize("label", [0, SULCAL_CSF, SKULL])
def test_no_tissue_is_no_brain(label: int) -> None:
    assert not brain_of(np.full((6, 6, 6), label, np.int16)).any()


def test_intracranial(a_head: np.ndarray) -> None:
    assert np.array_equal(is_intracranial(group_numbers(a_head)), a_ball(19))


@pytest.mark.parametrize("name", SEQUENCES)
def test_a_sequence_keeps_the_order_of_its_tissues_on_average(name: str) -> None:
    rng = np.random.default_rng(0)
    contrasts = [draw_contrast(rng, name) for _ in range(100)]
    assert {contrast.name for contrast in contrasts} == {name}
    means = np.mean([contrast.means for contrast in contrasts], axis=0)
    levels = SEQUENCES[name]
    for darker in levels:
        for brighter in levels:
            if levels[brighter] - levels[darker] > 0.05:
                assert means[NAMES.index(brighter)] > means[NAMES.index(darker)]


def test_contrasts_are_drawn_from_all_kinds() -> None:
    rng = np.random.default_rng(1)
    drawn = [draw_contrast(rng) for _ in range(100)]
    assert {contrast.name for contrast in drawn} == {"random", *SEQUENCES}
    for contrast in drawn:
        assert contrast.means.shape == contrast.deviations.shape == (HIGHEST_GROUP,)
        assert contrast.means.min() >= 0 and contrast.deviations.min() > 0
        assert contrast.means[0] <= 0.15


def test_the_same_seed_paints_the_same_scan(a_head: np.ndarray) -> None:
    groups = group_numbers(a_head)
    first, again, other = (
        render(groups, draw_contrast(np.random.default_rng(seed), "t1"), np.random.default_rng(seed))
        for seed in (5, 5, 6)
    )
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    assert first.dtype == np.float32 and first.shape == a_head.shape and np.isfinite(first).all()


@pytest.mark.parametrize("voxel_mm", [1.0, 2.0])
def test_tissues_are_as_bright_as_the_contrast_says(a_head: np.ndarray, voxel_mm: float) -> None:
    groups = group_numbers(a_head)
    errors = []
    for seed in range(6):
        contrast = draw_contrast(np.random.default_rng(seed), "t1")
        image = render(groups, contrast, np.random.default_rng(seed), voxel_mm=voxel_mm)
        white = a_ball(11) & ~a_ball(8)
        errors.append(image[white].mean() - contrast.means[NAMES.index("white_matter")])
    assert abs(np.mean(errors)) < 0.12


def test_bias_is_positive_smooth_and_near_one() -> None:
    for seed in range(20):
        bias = bias_field((60, 70, 50), np.random.default_rng(seed))
        assert bias.shape == (60, 70, 50) and bias.dtype == np.float32
        assert bias.min() > 0.4 and bias.max() < 2.5
        assert 0.7 < bias.mean() < 1.4
        assert max(np.abs(np.diff(bias, axis=axis)).max() for axis in range(3)) < 0.06


@settings(max_examples=30)
@given(axis=st.integers(0, 2), thickness=st.floats(0.2, 7.0), seed=st.integers(0, 100))
def test_thick_slices_keep_the_mean(axis: int, thickness: float, seed: int) -> None:
    image = np.random.default_rng(seed).uniform(0.4, 0.6, (28, 26, 30)).astype(np.float32)
    thick = thicken(image, axis, thickness)
    assert thick.shape == image.shape and thick.dtype == np.float32
    assert thick.mean() == pytest.approx(image.mean(), rel=0.02)
    assert image.min() - 1e-6 <= thick.min() and thick.max() <= image.max() + 1e-6
    if thickness <= 1:
        assert np.array_equal(thick, image)
    if thickness >= 2:
        assert thick.std() < 0.8 * image.std()


def test_thick_slices_blur_one_axis_only() -> None:
    across = np.broadcast_to(np.random.default_rng(0).random((1, 30, 30)), (30, 30, 30)).astype(np.float32)
    assert np.allclose(thicken(across, 0, 5.0), across, atol=1e-6)


def test_thick_slices_keep_their_place() -> None:
    ramp = np.broadcast_to(np.arange(40, dtype=np.float32)[:, None, None], (40, 3, 3))
    assert np.abs(thicken(np.ascontiguousarray(ramp), 0, 4.0) - ramp)[6:-6].max() <= 0.51
