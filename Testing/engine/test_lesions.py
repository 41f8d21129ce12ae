"""Simulated lesions: the truth is kept, the same seed gives the same lesion, families look as they say."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from pseudonormal.lesions.appearance import FAMILIES
from pseudonormal.lesions.shapes import ShapeSource, SmoothBlob, Transplant
from pseudonormal.lesions.source import LesionSource, SimulatedLesion
from pseudonormal.regions import NEIGHBOURS

EDGE, PATCH = 64, 32


def a_ball(radius: float, edge: int = EDGE) -> np.ndarray:
    grid = np.indices((edge, edge, edge)) - (edge - 1) / 2
    return (grid**2).sum(axis=0) <= radius**2


@pytest.fixture(scope="module")
def tissue() -> np.ndarray:
    """Scaled intensities about 0.5, with structure."""
    noise = ndimage.gaussian_filter(np.random.default_rng(0).standard_normal((EDGE,) * 3), 2)
    return (0.5 + 0.05 * noise / noise.std()).astype(np.float32)


@pytest.fixture(scope="module")
def patch(tissue: np.ndarray) -> np.ndarray:
    return tissue[:PATCH, :PATCH, :PATCH]


@pytest.fixture(scope="module")
def brain() -> np.ndarray:
    return a_ball(28)


@pytest.fixture(scope="module")
def transplant() -> Transplant:
    crescent = a_ball(9, 32) & ~np.roll(a_ball(9, 32), 7, axis=0)
    two = np.zeros((40, 40, 40), bool)
    two[4:14, 5:12, 6:20] = two[25:35, 20:38, 20:30] = True
    two[0, 0, 0] = True  # a crumb, no shape
    return Transplant([crescent, two])


@pytest.fixture(scope="module")
def source(transplant: Transplant) -> LesionSource:
    return LesionSource([SmoothBlob(), transplant])


def simulate(source: LesionSource, tissue: np.ndarray, brain: np.ndarray, seed: int, **wanted: Any) -> SimulatedLesion:
    lesion = source.sample(tissue, brain, np.random.default_rng(seed), **wanted)
    assert lesion is not None
    return lesion


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("seed", [1, 2])
def test_truth_is_kept(family: str, seed: int, source: LesionSource, tissue: np.ndarray, brain: np.ndarray) -> None:
    before = tissue.copy()
    lesion = simulate(source, tissue, brain, seed, family=family, volume_ml=(0.5, 8.0))

    assert np.array_equal(tissue, before) and np.array_equal(lesion.truth, before)
    assert np.array_equal(lesion.image[~lesion.mask], before[~lesion.mask])
    assert np.array_equal(lesion.mask, lesion.opacity > 0)
    assert not (lesion.mask & ~brain).any()
    assert lesion.image.dtype == lesion.truth.dtype == lesion.opacity.dtype == np.float32
    assert np.isfinite(lesion.image).all()
    assert lesion.opacity.min() >= 0 and lesion.opacity.max() <= 1
    assert np.abs(lesion.image - before)[lesion.opacity > 0.5].mean() > 0.02
    assert json.loads(json.dumps(lesion.record))["family"] == family


@settings(max_examples=15)
@given(seed=st.integers(0, 2**31), low=st.floats(0.1, 3.0), ratio=st.floats(2.0, 8.0))
def test_volume_is_within_the_range_and_in_one_piece(
    seed: int, low: float, ratio: float, source: LesionSource, tissue: np.ndarray, brain: np.ndarray
) -> None:
    lesion = source.sample(tissue, brain, np.random.default_rng(seed), volume_ml=(low, low * ratio))
    if lesion is None:
        return
    volume = lesion.mask.sum() / 1000
    assert low <= volume <= low * ratio
    assert lesion.record["volume_ml"] == pytest.approx(volume)
    assert ndimage.label(lesion.mask, NEIGHBOURS)[1] == 1


@pytest.mark.parametrize("family", FAMILIES)
def test_the_same_seed_gives_the_same_lesion(
    family: str, source: LesionSource, tissue: np.ndarray, brain: np.ndarray
) -> None:
    first, again, other = (
        simulate(source, tissue, brain, seed, family=family, volume_ml=(0.5, 4.0)) for seed in (7, 7, 8)
    )
    assert np.array_equal(first.image, again.image) and first.record == again.record
    assert not np.array_equal(first.mask, other.mask)


def test_families_share_a_place(source: LesionSource, tissue: np.ndarray, brain: np.ndarray) -> None:
    place = source.place(brain, np.random.default_rng(3), volume_ml=(1.0, 4.0))
    assert place is not None
    lesions = [source.paint(tissue, place, family, np.random.default_rng(4)) for family in FAMILIES]
    assert all(np.array_equal(lesion.mask, lesions[0].mask) for lesion in lesions)
    assert all(lesion.record["centre"] == lesions[0].record["centre"] for lesion in lesions)


def test_at_least_three_quarters_lie_where_allowed(tissue: np.ndarray) -> None:
    """Beside a cut through the head and beside the border of the scan."""
    drawn: list[int] = []

    class Remembering:
        def draw(self, voxels: int, rng: np.random.Generator) -> tuple[np.ndarray, dict[str, Any]]:
            field, record = SmoothBlob().draw(voxels, rng)
            drawn.append(int((field > 0.05).sum()))
            return field, record

    source = LesionSource([Remembering()])
    slab = np.zeros_like(tissue, bool)
    slab[:14] = True
    shares = []
    for seed in range(12):
        place = source.place(slab, np.random.default_rng(seed), volume_ml=(0.5, 3.0))
        assert place is not None
        shares.append((place.opacity > 0).sum() / drawn[-1])
    assert min(shares) >= 0.75
    assert min(shares) < 1  # some were cut


def test_small_ranges_are_hit_at_once(brain: np.ndarray) -> None:
    """The soft edge is allowed for: hardly a draw is thrown away for its volume."""
    draws = 0

    class Counting:
        def draw(self, voxels: int, rng: np.random.Generator) -> tuple[np.ndarray, dict[str, Any]]:
            nonlocal draws
            draws += 1
            return SmoothBlob().draw(voxels, rng)

    source = LesionSource([Counting()])
    for seed in range(20):
        assert source.place(brain, np.random.default_rng(seed), volume_ml=(0.3, 0.8)) is not None
    assert draws <= 50


def test_no_room_is_no_lesion(source: LesionSource, tissue: np.ndarray) -> None:
    rng = np.random.default_rng(0)
    nowhere = np.zeros_like(tissue, bool)
    assert source.sample(tissue, nowhere, rng) is None
    small = a_ball(4)
    assert source.sample(tissue, small, rng, volume_ml=(5.0, 10.0)) is None


def changes(family: str, patch: np.ndarray) -> list[tuple[np.ndarray, dict[str, Any]]]:
    """What a family does inside a soft ball, over a few seeds."""
    opacity = ndimage.gaussian_filter(a_ball(10, PATCH).astype(np.float32), 1)
    opacity[opacity < 0.05] = 0
    return [FAMILIES[family](patch, opacity, np.random.default_rng(seed)) for seed in range(6)]


CORE, INSIDE = a_ball(5, PATCH), a_ball(8, PATCH)


@pytest.mark.parametrize(("family", "sign"), [("additive_bright", 1), ("additive_dark", -1)])
def test_additive_families_keep_the_tissue_under_them(family: str, sign: int, patch: np.ndarray) -> None:
    for image, record in changes(family, patch):
        assert sign * (image - patch)[INSIDE].mean() > 0.08
        assert sign * record["strength"] > 0.1
        assert (sign * (image - patch)[INSIDE]).min() > 0


def test_replacing_covers_the_tissue(patch: np.ndarray) -> None:
    others = changes("replacing", patch[::-1])
    for (image, record), (other, drawn) in zip(changes("replacing", patch), others, strict=True):
        # the same whatever tissue is under it
        assert np.allclose(image[CORE] - record["level"], other[CORE] - drawn["level"], atol=5e-3)
        assert image[CORE].mean() == pytest.approx(record["level"], abs=0.03)
        assert abs(record["level"] - patch[INSIDE].mean()) > 0.1


def test_opaque_lets_some_of_the_tissue_through(patch: np.ndarray) -> None:
    for image, record in changes("opaque", patch):
        let_through = np.polyfit(patch[CORE] - patch[CORE].mean(), image[CORE], 1)[0]
        assert 0 < let_through < 1
        assert 0.3 <= record["cover"] <= 0.8


def test_textured_has_a_grain_of_its_own(patch: np.ndarray) -> None:
    grains = []
    for image, record in changes("textured", patch):
        change = (image - patch)[CORE]
        assert np.sign(change.mean()) == np.sign(record["strength"])
        grains.append(change.std() / abs(change.mean()))
    assert min(grains) > 0.1
    assert {np.sign(record["strength"]) for _, record in changes("textured", patch)} == {-1, 1}


def test_rim_stands_out_from_its_core(patch: np.ndarray) -> None:
    for image, record in changes("rim", patch):
        shell = a_ball(9, PATCH) & ~a_ball(7.5, PATCH)
        centre = a_ball(2.5, PATCH)
        outstanding = image[shell].mean() - image[centre].mean()
        assert np.sign(outstanding) == np.sign(record["strength"])
        assert abs(outstanding) > 0.1


def test_mass_effect_moves_tissue(patch: np.ndarray) -> None:
    """Of a landmark inside the lesion's region, what is left lies further out."""
    landmark = patch.copy()
    middle = PATCH // 2
    landmark[middle - 1 : middle + 1, middle - 1 : middle + 1, middle + 1 : middle + 4] = 3.0
    moved = []
    for image, _ in changes("mass_effect", landmark):
        row = image[middle - 1, middle - 1]
        bright = np.flatnonzero(row > 1.5)
        if bright.size:
            moved.append(bright.mean() - (middle + 2))
    assert moved and min(moved) > 1


@settings(max_examples=20)
@given(voxels=st.integers(60, 6000), seed=st.integers(0, 2**31), kind=st.sampled_from(["blob", "transplant"]))
def test_shapes_have_about_the_wanted_volume(voxels: int, seed: int, kind: str, transplant: Transplant) -> None:
    shapes: ShapeSource = SmoothBlob() if kind == "blob" else transplant
    field, record = shapes.draw(voxels, np.random.default_rng(seed))

    assert record["shape"] == kind
    assert json.dumps(record)
    assert 0.5 * voxels <= (field > 0.5).sum() <= 1.35 * voxels
    assert ndimage.label(field > 0.05, NEIGHBOURS)[1] == 1
    faces = [field.take(index, axis) for axis in range(3) for index in (0, -1)]
    assert max(face.max() for face in faces) < 0.05  # nothing is cut off at the box


def test_crumbs_are_no_shapes(transplant: Transplant) -> None:
    assert len(transplant) == 3
    assert len(Transplant([np.zeros((5, 5, 5), bool)])) == 0
