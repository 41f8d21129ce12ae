"""Metrics, detection numbers and bootstrap intervals, against values known beforehand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pseudonormal.evaluate.bootstrap import bootstrap_mean, paired_difference
from pseudonormal.evaluate.detection import (
    average_precision,
    best_threshold,
    dice,
    dice_curve,
    false_positive_ml,
    healthiness,
    lesionwise,
)
from pseudonormal.evaluate.metrics import (
    PSNR_CEILING,
    brats_metrics,
    brats_window,
    contrast_left,
    masked_ssim,
    restoration_metrics,
    ring,
)

Image = NDArray[np.float32]
Mask = NDArray[np.bool_]


@pytest.fixture
def a_lesion() -> Mask:
    grid = np.indices((36, 40, 38))
    return ((grid - np.array([18, 20, 19]).reshape(3, 1, 1, 1)) ** 2).sum(0) <= 36


@pytest.fixture
def a_truth() -> Image:
    return np.random.default_rng(1).random((36, 40, 38)).astype(np.float32)


def test_an_exact_restoration_is_perfect_in_every_number(a_truth: Image, a_lesion: Mask) -> None:
    image = a_truth + a_lesion * np.float32(0.4)
    values = restoration_metrics(a_truth, a_truth, image, a_lesion)
    assert values["mae"] == values["rmse"] == values["bias"] == values["outside_mae"] == values["outside_max"] == 0
    assert values["psnr_db"] == PSNR_CEILING
    assert values["ssim"] == pytest.approx(1)
    assert values["gradient_ratio"] == pytest.approx(1)
    assert values["seam"] == pytest.approx(1)


def test_a_constant_error_has_known_numbers(a_truth: Image, a_lesion: Mask) -> None:
    output = a_truth + a_lesion * np.float32(0.1)
    values = restoration_metrics(output, a_truth, output, a_lesion)
    assert values["mae"] == pytest.approx(0.1, rel=1e-4)
    assert values["bias"] == pytest.approx(0.1, rel=1e-4)
    assert values["psnr_db"] == pytest.approx(20, abs=0.01)


def test_blur_lowers_the_gradient_ratio_and_an_edge_raises_the_seam(a_truth: Image, a_lesion: Mask) -> None:
    flat = np.where(a_lesion, np.float32(a_truth.mean()), a_truth)
    patch = np.where(a_lesion, np.float32(3), a_truth)
    assert restoration_metrics(flat, a_truth, flat, a_lesion)["gradient_ratio"] < 0.4
    assert restoration_metrics(patch, a_truth, patch, a_lesion)["seam"] > 2


def test_change_outside_the_mask_shows(a_truth: Image, a_lesion: Mask) -> None:
    output = a_truth.copy()
    output[0, 0, 0] += 0.5
    values = restoration_metrics(output, a_truth, a_truth, a_lesion)
    assert values["outside_max"] == pytest.approx(0.5, rel=1e-5)
    assert values["outside_mae"] > 0
    assert values["mae"] == 0


def test_ssim_on_a_crop_equals_ssim_of_the_whole_image(a_truth: Image) -> None:
    from skimage.metrics import structural_similarity

    lesion = np.zeros(a_truth.shape, bool)
    lesion[15:20, 15:20, 15:20] = True
    output = np.where(lesion, 0.5, a_truth)
    _, whole = structural_similarity(
        output, a_truth, data_range=1, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, full=True
    )
    assert masked_ssim(output, a_truth, lesion) == pytest.approx(whole[lesion].mean(), abs=1e-5)


def test_ssim_works_for_a_lesion_in_the_corner_of_a_thin_image() -> None:
    truth = np.random.default_rng(0).random((5, 30, 30)).astype(np.float32)
    lesion = np.zeros(truth.shape, bool)
    lesion[:2, :3, :3] = True
    assert masked_ssim(truth, truth, lesion) == pytest.approx(1)


def test_brats_numbers_follow_their_definition(a_truth: Image, a_lesion: Mask) -> None:
    foreground = np.zeros(a_truth.shape, bool)
    foreground[4:-4, 4:-4, 4:-4] = True
    output = np.where(a_lesion, np.float32(0.5), a_truth)
    values = brats_metrics(output, a_truth, a_lesion, brats_window(a_truth, a_lesion, foreground))
    low, high = np.percentile(a_truth * (foreground & ~a_lesion), [0.5, 99.5])
    expected, target = (np.clip((image[a_lesion] - low) / (high - low), 0, 1) for image in (output, a_truth))
    error = float(np.mean((expected - target) ** 2))
    assert values["brats_mse"] == pytest.approx(error, rel=1e-4)
    assert values["brats_rmse"] == pytest.approx(error**0.5, rel=1e-4)
    assert values["brats_psnr01"] == pytest.approx(-10 * np.log10(error), abs=1e-3)
    assert values["brats_psnr"] == pytest.approx(10 * np.log10(np.ptp(target) ** 2 / error), abs=1e-3)
    assert 0 < values["brats_ssim"] < 1


def test_brats_numbers_do_not_depend_on_tissue_outside_the_mask(a_truth: Image, a_lesion: Mask) -> None:
    foreground = np.ones(a_truth.shape, bool)
    output = np.where(a_lesion, np.float32(0.5), a_truth)
    elsewhere = np.where(a_lesion, output, np.float32(7))
    window = brats_window(a_truth, a_lesion, foreground)
    assert brats_metrics(elsewhere, a_truth, a_lesion, window) == brats_metrics(output, a_truth, a_lesion, window)


@pytest.mark.parametrize(("left", "share"), [(0.0, 0.0), (0.1, 0.25), (0.4, 1.0), (-0.1, 0.25)])
def test_contrast_left_is_the_share_of_the_lesions_contrast(a_lesion: Mask, left: float, share: float) -> None:
    normal = np.full(a_lesion.shape, 0.5, np.float32)
    image, output = normal + 0.4 * a_lesion, normal + left * a_lesion
    assert contrast_left(output, image, a_lesion, np.ones_like(a_lesion)) == pytest.approx(share, abs=1e-5)


def test_the_ring_is_normal_foreground_near_the_lesion(a_lesion: Mask) -> None:
    foreground = np.zeros(a_lesion.shape, bool)
    foreground[:, :, :22] = True
    around = ring(a_lesion, foreground)
    assert around.any()
    assert not (around & a_lesion).any()
    assert not (around & ~foreground).any()


def test_dice_of_equal_disjoint_and_empty_masks(a_lesion: Mask) -> None:
    assert dice(a_lesion, a_lesion) == 1
    assert dice(a_lesion, ~a_lesion) == 0
    assert dice(a_lesion & False, a_lesion & False) == 1


def test_lesions_are_counted_as_wholes() -> None:
    truth, found = np.zeros((2, 20, 20, 20), bool)
    truth[2:5, 2:5, 2:5] = truth[10:13, 10:13, 10:13] = True
    found[4:6, 4:6, 4:6] = found[16:18, 2:4, 2:4] = found[2:4, 16:18, 16:18] = True
    values = lesionwise(found, truth)
    assert values["lesion_recall"] == pytest.approx(1 / 2)
    assert values["lesion_precision"] == pytest.approx(1 / 3)
    assert values["lesion_f1"] == pytest.approx(0.4)
    assert false_positive_ml(found, truth) == pytest.approx(0.023)
    assert lesionwise(found & False, truth)["lesion_f1"] == 0
    assert np.isnan(lesionwise(found & False, truth & False)["lesion_f1"])


def test_healthiness_is_the_share_of_found_volume_that_is_gone(a_lesion: Mask) -> None:
    everywhere = np.ones_like(a_lesion)
    image = a_lesion.astype(np.float32)
    half = image.copy()
    half[:18] = 0

    def segment(image: Image, foreground: Mask) -> Mask:
        return (image > 0.5) & foreground

    assert healthiness(segment, np.zeros_like(image), image, everywhere) == 1
    assert healthiness(segment, image, image, everywhere) == 0
    assert healthiness(segment, half, image, everywhere) == pytest.approx(half.sum() and 1 - half.sum() / image.sum())
    assert np.isnan(healthiness(segment, image, image * 0, everywhere))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), levels=st.integers(1, 50))
def test_average_precision_equals_scikit_learns(seed: int, levels: int) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(seed)
    score, truth = rng.integers(0, levels, (4, 5, 6)) / levels, rng.random((4, 5, 6)) < 0.2
    truth[0, 0, 0] = True
    within = np.ones_like(truth)
    assert average_precision(score, truth, within) == pytest.approx(
        metrics.average_precision_score(truth.ravel(), score.ravel())
    )


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_a_dice_curve_holds_the_dice_at_each_threshold(seed: int) -> None:
    rng = np.random.default_rng(seed)
    score, truth, within = rng.random((5, 5, 5)), rng.random((5, 5, 5)) < 0.3, rng.random((5, 5, 5)) < 0.8
    truth &= within
    truth[2, 2, 2] = within[2, 2, 2] = True
    thresholds = np.linspace(0, 1.1, 9)
    curve = dice_curve(score, truth, within, thresholds)
    expected = [dice((score >= threshold) & within, truth) for threshold in thresholds]
    np.testing.assert_allclose(curve, expected)


def test_the_threshold_is_the_best_one_on_validation_subjects_only() -> None:
    thresholds = np.array([0.1, 0.2, 0.3])
    assert best_threshold([np.array([0.1, 0.6, 0.2]), np.array([0.2, 0.5, 0.6])], thresholds) == 0.2
    with pytest.raises(ValueError, match="validation"):
        best_threshold([], thresholds)


def test_every_subject_weighs_the_same() -> None:
    interval = bootstrap_mean([1, 1, 1, 1, 5], ["a", "a", "a", "a", "b"])
    assert interval.mean == 3
    assert (interval.low, interval.high) == (1, 5)
    assert (interval.subjects, interval.values) == (2, 5)


def test_one_subject_has_no_interval_and_unknown_values_are_left_out() -> None:
    interval = bootstrap_mean([1.0, 3.0, float("nan")], ["a", "a", "b"])
    assert interval.mean == 2
    assert np.isnan(interval.low)
    assert interval.subjects == 1
    assert np.isnan(bootstrap_mean([], []).mean)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.floats(-50, 50)), min_size=2, max_size=20), st.randoms())
def test_the_interval_holds_the_mean_and_does_not_depend_on_the_order(rows, random) -> None:  # type: ignore[no-untyped-def]
    first = bootstrap_mean([value for _, value in rows], [subject for subject, _ in rows], resamples=200)
    random.shuffle(rows)
    second = bootstrap_mean([value for _, value in rows], [subject for subject, _ in rows], resamples=200)
    np.testing.assert_allclose(
        [first.mean, first.low, first.high], [second.mean, second.low, second.high], rtol=1e-6, atol=1e-6
    )
    if first.subjects > 1:
        assert first.low - 1e-9 <= first.mean <= first.high + 1e-9


def test_the_interval_covers_the_true_mean_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(3)
    names = [str(index) for index in range(30)]
    hits = 0
    for _ in range(200):
        interval = bootstrap_mean(rng.normal(0, 1, 30).tolist(), names, resamples=300)
        hits += interval.low <= 0 <= interval.high
    assert 0.88 <= hits / 200 <= 0.99


def test_a_paired_difference_is_narrower_than_its_parts() -> None:
    rng = np.random.default_rng(0)
    level = rng.normal(20, 5, 12)
    names = [str(index) for index in range(12)]
    difference = paired_difference((level + 1 + rng.normal(0, 0.1, 12)).tolist(), level.tolist(), names)
    alone = bootstrap_mean(level.tolist(), names)
    assert difference.low > 0.8
    assert difference.high - difference.low < 0.1 * (alone.high - alone.low)
    with pytest.raises(ValueError, match="paired"):
        paired_difference([1.0], [1.0, 2.0], ["a", "b"])
