"""An order of cases in which what is uncertain comes first and what is alike stands apart."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pseudonormal.generate.brain import measure_brain, uncertain_ml
from pseudonormal.scan.scan import Geometry
from pseudonormal.scan.writing import write_image
from pseudonormal.store.diversity import LEAST_NEW, apart, descriptor
from pseudonormal.store.priority import prioritise
from pseudonormal.store.store import Store

SHAPE = (4, 5, 6)
GEOMETRY = Geometry(SHAPE[::-1], (1.0, 1.0, 2.0), (-3.0, 4.0, 10.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))

some_cases = st.integers(1, 25).flatmap(
    lambda count: st.tuples(
        st.lists(st.lists(st.floats(-5, 5), min_size=3, max_size=3), min_size=count, max_size=count),
        st.lists(st.floats(0, 100), min_size=count, max_size=count),
    )
)


@given(some_cases, st.integers(0, 5))
def test_every_case_comes_once_and_the_same_way_each_time(cases, done):
    descriptors, worth = np.array(cases[0]), np.array(cases[1])
    seen = list(range(min(done, len(worth) - 1)))
    order = apart(descriptors, worth, seen)
    assert sorted(row for row, _ in order) == list(range(len(seen), len(worth)))
    assert order == apart(descriptors, worth, seen)


@given(some_cases)
def test_values_never_rise_and_stay_below_what_there_is_to_correct(cases):
    descriptors, worth = np.array(cases[0]), np.array(cases[1])
    order = apart(descriptors, worth)
    values = [value for _, value in order]
    assert all(later <= earlier + 1e-9 for earlier, later in itertools.pairwise(values))
    assert all(LEAST_NEW * worth[row] - 1e-9 <= value <= worth[row] for row, value in order)


@given(st.permutations([0.5, 1.0, 2.0, 4.0, 8.0]))
def test_of_cases_as_different_from_each_other_the_uncertain_ones_come_first(worth):
    order = apart(np.eye(5), np.array(worth))
    assert [worth[row] for row, _ in order] == [8.0, 4.0, 2.0, 1.0, 0.5]


@given(st.lists(st.floats(0.6, 1.0), min_size=6, max_size=6))
def test_copies_of_a_case_are_pushed_apart(worth):
    """Three kinds of case, each there twice: all kinds have come before any comes again."""
    kinds = np.repeat(np.eye(3), 2, axis=0)
    order = [row for row, _ in apart(kinds, np.array(worth))]
    assert {row // 2 for row in order[:3]} == {0, 1, 2}


def test_what_is_like_a_case_that_is_done_waits():
    kinds = np.array([[0.0, 0.0], [0.0, 0.0], [3.0, 1.0]])
    assert [row for row, _ in apart(kinds, np.array([1.0, 1.0, 0.9]), seen=[0])] == [2, 1]


def a_report(
    volume: float = 2.0, place: tuple[float, float, float] = (20.0, 0.0, 0.0), mean_z: float = 3.0, profile: float = 1.0
) -> dict:
    finding = {"volume_ml": volume, "centroid_ras": place, "mean_z": mean_z, "confidence": 0.5, "uncertain_ml": 1.0}
    brain = {"volume_ml": 1300.0, "centre_ras": (0.0, 0.0, 0.0), "profile": [profile * n for n in range(-4, 4)]}
    return {"findings": [finding], "brain": brain | {"uncertain_ml": 0.5}}


def test_a_descriptor_tells_size_place_contrast_and_kind_of_scan():
    plain = descriptor(a_report())
    for other in (a_report(volume=30.0), a_report(place=(-40, 10, 0)), a_report(mean_z=-2.0), a_report(profile=2.0)):
        assert np.linalg.norm(descriptor(other) - plain) > 0.3
    assert plain.shape == descriptor({}).shape == descriptor({"findings": []}).shape
    moved = a_report(place=(25.0, 5.0, 5.0))
    moved["brain"]["centre_ras"] = (5.0, 5.0, 5.0)
    np.testing.assert_allclose(descriptor(moved), plain), "where the head lay does not matter"


def a_case(store: Store, folder: Path, report: dict | None, marked: int | None = None) -> str:
    scan = np.random.default_rng(store.cases()[1]).integers(1, 500, SHAPE).astype(np.int16)
    write_image(scan, GEOMETRY, folder / "scan.nii.gz")
    write_image(np.arange(scan.size).reshape(SHAPE) < (marked or 0), GEOMETRY, folder / "mask.nii.gz")
    mask = None if marked is None else folder / "mask.nii.gz"
    return store.add_case(folder / "scan.nii.gz", mask=mask, report=report).id


def test_a_store_gives_out_what_is_unlike_what_is_done(a_store: Store, tmp_path: Path) -> None:
    done = a_case(a_store, tmp_path, a_report())
    twin = a_case(a_store, tmp_path, a_report())
    other = a_case(a_store, tmp_path, a_report(place=(-40.0, 30.0, 10.0), mean_z=-2.0))
    third = a_case(a_store, tmp_path, a_report(volume=1.9, profile=3.0))
    masked = a_case(a_store, tmp_path, None, marked=100)
    unknown = a_case(a_store, tmp_path, None)
    lease = a_store.lease(done, "eva")
    a_store.add_revision(done, np.zeros(SHAPE, bool), lease=lease.token, state="accepted", parent=lease.case.head)
    a_store.release(lease.token)
    before = a_store.case(twin).priority
    assert before == pytest.approx(a_store.case(other).priority)
    assert prioritise(a_store) == 6
    waiting = [case.id for case in a_store.cases()[0] if case.id != done]
    assert waiting[2:] == [twin, masked, unknown], "the twin of the case that is done comes after the others"
    assert a_store.case(twin).priority == pytest.approx(LEAST_NEW * before)
    assert a_store.case(masked).priority == pytest.approx(100 * GEOMETRY.voxel_ml * 0.55), "unlike what, nobody knows"
    numbers = [case.priority for case in a_store.cases()[0]]
    prioritise(a_store)
    assert [case.priority for case in a_store.cases()[0]] == numbers
    kept = a_store.report(third)
    assert kept is not None and set(kept["brain"]) == {"volume_ml", "centre_ras", "profile", "uncertain_ml"}
    assert kept["findings"][0]["uncertain_ml"] == 1.0


def test_what_is_expected_to_be_wrong_is_measured_in_ml():
    probability = np.array([0.0, 0.25, 0.5, 0.9, 1.0, np.nan])
    assert uncertain_ml(probability, GEOMETRY) == pytest.approx((0.25 + 0.5 + 0.1 + 0.5) * 0.002)


def test_a_brain_is_described_without_units_and_without_its_lesion():
    image = np.random.default_rng(0).normal(100, 10, SHAPE)
    foreground, lesion = np.ones(SHAPE, bool), np.zeros(SHAPE, bool)
    lesion[0, 0] = True
    probability = np.full(SHAPE, 0.1)
    told = [
        measure_brain(gain * (image + 500 * lesion), foreground, lesion, 10.0 * gain, GEOMETRY, probability)
        for gain in (1.0, 7.0)
    ]
    assert told[0] == told[1]
    assert max(np.abs(told[0].profile)) < 5
    assert told[0].volume_ml == pytest.approx(0.24)
    assert told[0].uncertain_ml == pytest.approx(0.1 * 114 * 0.002)
    assert measure_brain(image, foreground, lesion, 10.0, GEOMETRY).uncertain_ml is None
    np.testing.assert_allclose(told[0].centre_ras, (-(-3.0 + 2.5), -(4.0 + 2.0), 10.0 + 3.0))
