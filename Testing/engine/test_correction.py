"""Restoring with the default model's restorer: where it looks, what it changes and what it must not look at."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from torch import nn

from pseudonormal.fills.biharmonic import biharmonic_fill
from pseudonormal.fills.normalised_convolution import normalised_convolution_fill
from pseudonormal.models.bundle import Calibration, Model
from pseudonormal.networks.restorer import RestorerNetwork
from pseudonormal.recipes.correction import CorrectedFill
from pseudonormal.recipes.fusion import TINY_ML
from pseudonormal.recipes.halo import halo
from pseudonormal.recipes.patches import patches
from pseudonormal.recipes.restore import BORDER

SHAPE = (44, 60, 56)


def a_model(spread: float, calibration: Calibration | None = None) -> Model:
    """A restorer fresh from the factory (spread 0) or with some weights in its last layer."""
    torch.manual_seed(0)
    network = RestorerNetwork().eval()
    if spread:
        nn.init.normal_(network.head.weight, std=spread)
    nothing = nn.Identity()
    return Model(
        name="by-hand",
        version="1",
        fingerprint="0",
        device=torch.device("cpu"),
        brain=nothing,
        lesion=nothing,
        restore=network,
        calibration=calibration or Calibration(),
        trained_families=("replacing",),
    )


@pytest.fixture(scope="module")
def a_fresh_model() -> Model:
    return a_model(0.0)


@pytest.fixture(scope="module")
def a_trained_model() -> Model:
    return a_model(0.1)


def a_box(shape: tuple[int, ...], *spans: tuple[int, int]) -> np.ndarray:
    mask = np.zeros(shape, bool)
    mask[tuple(slice(*span) for span in spans)] = True
    return mask


def a_brain(shape: tuple[int, ...] = SHAPE) -> tuple[np.ndarray, np.ndarray]:
    """Scaled intensities with structure, alike on both sides, and the foreground."""
    grid = np.indices(shape, dtype=np.float32)
    middle = (np.array(shape) - 1) / 2
    brain = sum(((g - m) / (0.46 * n)) ** 2 for g, m, n in zip(grid, middle, shape, strict=True)) < 1
    across = np.abs(grid[2] - middle[2] - 0.3)
    image = 0.5 + 0.15 * np.sin(across / 3) * np.cos(grid[1] / 4) + 0.05 * np.sin(grid[0] / 2)
    image += np.random.default_rng(0).normal(0, 0.02, shape)
    return np.where(brain, image, 0).astype(np.float32), brain


TWO_SIDED = a_box(SHAPE, (18, 26), (24, 34), (10, 17)) | a_box(SHAPE, (18, 25), (22, 33), (39, 46))
CASES = {
    "one": (SHAPE, a_box(SHAPE, (18, 26), (24, 34), (10, 17))),
    "two-sided": (SHAPE, TWO_SIDED),
    "at the border of the scan": (SHAPE, a_box(SHAPE, (0, 8), (26, 34), (20, 32))),
    "beside the brain": (SHAPE, a_box(SHAPE, (0, 3), (0, 3), (0, 3)) | TWO_SIDED),
    "smaller than a patch": ((14, 13, 15), a_box((14, 13, 15), (5, 9), (5, 9), (5, 9))),
    "one slice": ((40, 1, 36), a_box((40, 1, 36), (15, 22), (0, 1), (12, 19))),
    "longer than a patch": ((30, 34, 124), a_box((30, 34, 124), (12, 17), (14, 20), (14, 108))),
}


@pytest.mark.parametrize(("shape", "lesion"), CASES.values(), ids=CASES.keys())
def test_only_the_lesion_changes(shape: tuple[int, ...], lesion: np.ndarray, a_fresh_model: Model) -> None:
    image, brain = a_brain(shape)
    before = image.copy()

    restored = CorrectedFill(a_fresh_model).restore(image, lesion, brain)

    assert np.array_equal(image, before)
    assert np.array_equal(restored.normal[~lesion], image[~lesion])
    assert restored.normal.dtype == np.float32 and np.isfinite(restored.normal).all()
    assert restored.expected_error is not None
    assert (restored.expected_error[lesion] > 0).all() and not restored.expected_error[~lesion].any()
    assert len(restored.modes) == ndimage.label(lesion, np.ones((3, 3, 3)))[1]


def test_many_small_lesions_are_all_restored(a_fresh_model: Model) -> None:
    image, brain = a_brain()
    lesion = np.zeros(SHAPE, bool)
    lesion[6:40:8, 6:56:8, 6:52:8] = True
    lesion &= brain
    bright = np.where(lesion, 3, image).astype(np.float32)

    restored = CorrectedFill(a_fresh_model, "void").restore(bright, lesion, brain)

    assert restored.modes == ("void",) * int(lesion.sum())
    assert np.abs(restored.normal - image)[lesion].mean() < 0.1


def test_untrained_it_is_near_the_classical_fills(a_fresh_model: Model) -> None:
    image, brain = a_brain()
    bright = np.where(TWO_SIDED, image + 0.6, image).astype(np.float32)
    normal = CorrectedFill(a_fresh_model, "void").restore(bright, TWO_SIDED, brain).normal
    assert np.abs(normal - image)[TWO_SIDED].mean() < 0.12


@pytest.mark.parametrize("case", ["one", "two-sided", "at the border of the scan"])
def test_void_never_looks_at_the_lesion(case: str, a_trained_model: Model) -> None:
    shape, lesion = CASES[case]
    image, brain = a_brain(shape)
    rng = np.random.default_rng(1)
    void = CorrectedFill(a_trained_model, "void")
    results = []
    for change in (2.0, -3.0, rng.uniform(5, 9, shape)):
        looks_like = np.where(lesion, image + change, image).astype(np.float32)
        assert not halo(looks_like, lesion, brain).any()  # what a halo is depends on the lesion
        results.append(void.restore(looks_like, lesion, brain))
    for other in results[1:]:
        assert np.array_equal(results[0].normal[lesion], other.normal[lesion])
        assert np.array_equal(results[0].expected_error, other.expected_error)


def test_guided_looks(a_trained_model: Model) -> None:
    image, brain = a_brain()
    guided = CorrectedFill(a_trained_model, "guided")
    first, second = (
        guided.restore(np.where(TWO_SIDED, image + change, image).astype(np.float32), TWO_SIDED, brain)
        for change in (0.5, -0.5)
    )
    assert first.modes == second.modes == ("guided", "guided")
    assert np.abs(first.normal - second.normal)[TWO_SIDED].mean() > 1e-3


@pytest.mark.parametrize(("reach", "mode"), [(0.0, "void"), (1e9, "guided")])
def test_auto_follows_its_calibration(reach: float, mode: str) -> None:
    model = a_model(0.1, Calibration(guided_reach=reach))
    image, brain = a_brain()
    lesion = CASES["one"][1]
    restored, asked = (
        CorrectedFill(model, how).restore(np.where(lesion, 0.9, image).astype(np.float32), lesion, brain)
        for how in ("auto", "guided")
    )
    assert restored.modes == (mode,)
    assert np.allclose(restored.normal, asked.normal, atol=1e-6) == (mode == "guided")


def test_the_share_of_the_classical_fill_is_kept() -> None:
    image, brain = a_brain()
    lesion = CASES["one"][1]
    alone, mixed = (
        CorrectedFill(a_model(0.1, Calibration(guided_reach=0.0, start_share=share))).restore(image, lesion, brain)
        for share in (0.0, 0.5)
    )
    fill = biharmonic_fill(image, lesion | halo(image, lesion, brain), within=brain | lesion)
    volume = lesion.sum() / 1000
    share, tiny = 0.5 / (1 + volume), 1 / (1 + (volume / TINY_ML) ** 2)
    fill = (1 - tiny) * fill + tiny * normalised_convolution_fill(image, lesion | halo(image, lesion, brain), brain)
    expected = (1 - share) * alone.normal + share * fill
    assert np.allclose(mixed.normal[lesion], expected[lesion], atol=1e-5)


def test_nothing_to_restore(a_fresh_model: Model) -> None:
    image, brain = a_brain()
    restored = CorrectedFill(a_fresh_model).restore(image, np.zeros(SHAPE, bool), brain)
    assert np.array_equal(restored.normal, image) and restored.modes == ()
    assert restored.expected_error is not None and not restored.expected_error.any()


def test_modes_have_names_and_fingerprints_of_their_own(a_fresh_model: Model) -> None:
    restorers = [CorrectedFill(a_fresh_model), CorrectedFill(a_fresh_model, "void")]
    assert [restorer.name for restorer in restorers] == ["by-hand", "by-hand:void"]
    assert len({restorer.fingerprint for restorer in restorers}) == 2


@st.composite
def numbered_lesions(draw: st.DrawFn) -> np.ndarray:
    shape = draw(st.tuples(st.integers(6, 40), st.integers(6, 130), st.integers(6, 70)))
    labels = np.zeros(shape, np.int32)
    for number in range(1, draw(st.integers(1, 8)) + 1):
        starts = [draw(st.integers(0, n - 1)) for n in shape]
        place = tuple(slice(s, s + draw(st.integers(1, 40))) for s in starts)
        labels[place] = np.where(labels[place] == 0, number, labels[place])
    numbers = np.unique(labels[labels > 0])
    return np.searchsorted(np.concatenate([[0], numbers]), labels).astype(np.int32)


@settings(max_examples=25)
@given(numbered_lesions())
def test_every_lesion_is_shown_whole_with_its_surroundings_in_one_patch(labels: np.ndarray) -> None:
    shown: list[int] = []
    extents = ndimage.find_objects(labels)
    for box, members in patches(labels):
        shown += members
        for own, length in zip(box, labels.shape, strict=True):
            assert 0 <= own.start < own.stop <= length
        for member in members:
            for own, lesion, length in zip(box, extents[member - 1], labels.shape, strict=True):
                assert own.start <= max(0, lesion.start - BORDER)
                assert own.stop >= min(length, lesion.stop + BORDER)
    assert sorted(shown) == list(range(1, labels.max() + 1))


def test_a_halo_is_what_looks_like_the_lesion_beside_it() -> None:
    image, brain = a_brain()
    true = a_box(SHAPE, (16, 28), (22, 36), (20, 34))
    image = np.where(true, image + 1, image).astype(np.float32)
    tight = ndimage.binary_erosion(true, iterations=2)

    found = halo(image, tight, brain)

    assert not (found & tight).any()
    assert (found & ~true).sum() < 0.1 * found.sum()  # noise beside it may look like it
    assert (found | tight)[true].mean() > 0.9
    assert not halo(image, true, brain).any()  # a mask that is right has none
    assert not halo(image, np.zeros(SHAPE, bool), brain).any()


def test_a_faint_lesion_has_no_halo() -> None:
    image, brain = a_brain()
    lesion = a_box(SHAPE, (18, 26), (24, 34), (22, 32))
    assert not halo(np.where(lesion, image + 0.02, image).astype(np.float32), lesion, brain).any()
