"""Findings: the engine's, and those measured after an edit."""

from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PseudoNormalLib.scene.findings import EDITED, findings_from_report, label_lesions, measure, middle_of
from Testing.scene.conftest import LPS, OBLIQUE, SHAPE, STRAIGHT, tilted


def middle(grid, shape=SHAPE):
    """RAS x of the grid's middle."""
    return middle_of(np.zeros(shape), grid)


@pytest.fixture
def a_difference(a_lesion_mask):
    """(D, H, W) robust z: 8 in the lesion at high x, -5 in the other."""
    x = np.indices(SHAPE)[2]
    return np.where(a_lesion_mask, np.where(x > 18, 8.0, -5.0), 0.0).astype(np.float32)


@pytest.fixture
def a_report(a_lesion_mask, a_difference):
    """What the engine says of the straight scan, as JSON gives it."""
    findings, _ = measure(a_lesion_mask, STRAIGHT, a_difference, middle(STRAIGHT))
    words = ["right, upper front of the brain", "left, middle of the brain"]
    entries = [asdict(finding) | {"position": said} for finding, said in zip(findings, words, strict=True)]
    entries = [entry | {"confidence": 0.8, "mode": "void", "an_invention_of_later": 1} for entry in entries]
    return json.loads(json.dumps({"findings": entries}))


def test_the_engines_findings_are_read_from_its_report(a_report):
    larger, smaller = findings_from_report(a_report)
    assert (larger.index, smaller.index) == (1, 2)
    assert larger.volume_ml > smaller.volume_ml
    assert larger.position == "right, upper front of the brain" and larger.confidence == 0.8
    assert isinstance(larger.centroid_ras, tuple) and isinstance(larger.bounding_box[0], tuple)


def test_a_report_that_lacks_a_field_is_refused_in_one_line(a_report):
    del a_report["findings"][1]["peak_z"]
    with pytest.raises(ValueError, match="lacks 'peak_z'"):
        findings_from_report(a_report)
    with pytest.raises(ValueError, match="lacks 'findings'"):
        findings_from_report({})


@pytest.mark.parametrize("grid", [STRAIGHT, LPS, OBLIQUE], ids=["straight", "lps", "oblique"])
def test_each_lesion_is_measured_in_patient_space(a_lesion_mask, a_difference, grid):
    (larger, smaller), labels = measure(a_lesion_mask, grid, a_difference, middle(grid))
    place = (grid @ [27, 20, 12, 1])[:3]
    np.testing.assert_allclose(larger.centroid_ras, place, atol=1e-9)
    assert labels[12, 20, 27] == 1 and labels[10, 14, 8] == 2
    assert larger.volume_ml == pytest.approx((labels == 1).sum() * abs(np.linalg.det(grid[:3, :3])) / 1000)
    assert (larger.mean_z, smaller.peak_z) == (8.0, -5.0)
    assert larger.bounding_box == ((8, 17), (16, 25), (23, 32))


def test_sides_are_the_patients(a_lesion_mask, a_difference):
    (at_high_x, _), _ = measure(a_lesion_mask, STRAIGHT, a_difference, middle(STRAIGHT))
    (flipped, _), _ = measure(a_lesion_mask, LPS, a_difference, middle(LPS))
    assert (at_high_x.side, flipped.side) == ("right", "left")
    across = np.zeros(SHAPE, bool)
    across[10:14, 10:14, 14:22] = True
    (across_it,), _ = measure(across, STRAIGHT, a_difference, middle(STRAIGHT))
    assert across_it.side == "midline" and across_it.position == f"across the midline, {EDITED}"


def test_an_untouched_lesion_keeps_the_engines_words_and_an_edited_one_says_so(a_report, a_lesion_mask, a_difference):
    before = findings_from_report(a_report)
    edited = a_lesion_mask.copy()
    edited[12, 20, 27:40] = True  # the larger lesion grows
    (larger, smaller), _ = measure(edited, STRAIGHT, a_difference, middle(STRAIGHT), before)
    assert smaller == before[1]
    assert larger.position == f"right, {EDITED}" and larger.confidence is None
    assert larger.volume_ml > before[0].volume_ml


def test_removing_the_largest_lesion_renumbers_the_others(a_report, a_lesion_mask, a_difference):
    before = findings_from_report(a_report)
    edited = a_lesion_mask & (np.indices(SHAPE)[2] < 18)
    (only,), labels = measure(edited, STRAIGHT, a_difference, middle(STRAIGHT), before)
    assert only.index == 1 and only.position == "left, middle of the brain"
    assert labels.max() == 1


def test_an_empty_mask_has_no_findings(a_difference):
    findings, labels = measure(np.zeros(SHAPE, bool), STRAIGHT, a_difference, middle(STRAIGHT))
    assert findings == [] and not labels.any()


def test_what_is_not_finite_in_the_difference_counts_as_nothing(a_lesion_mask, a_difference):
    a_difference[a_lesion_mask] = np.nan
    findings, _ = measure(a_lesion_mask, STRAIGHT, a_difference, middle(STRAIGHT))
    assert all(finding.mean_z == 0 and finding.peak_z == 0 for finding in findings)


@pytest.mark.parametrize("grid", [STRAIGHT, LPS, OBLIQUE], ids=["straight", "lps", "oblique"])
def test_the_middle_is_the_heads_and_not_the_pictures(grid):
    image = np.zeros(SHAPE, np.int16)
    image[4:20, 5:35, 20:30] = 400
    image[0, 0, 0] = 3  # air is not quite black
    assert middle_of(image, grid) == pytest.approx((grid @ [24.5, 19.5, 11.5, 1])[0])
    assert middle_of(np.full(SHAPE, np.nan, np.float32), grid) == pytest.approx((grid @ [17.5, 19.5, 11.5, 1])[0])


@settings(max_examples=80)
@given(
    mask=hnp.arrays(bool, st.tuples(*[st.integers(1, 6)] * 3)),
    degrees=st.floats(-90, 90),
    edges=st.tuples(*[st.floats(0.3, 5)] * 3),
    seed=st.integers(0, 2**16),
)
def test_the_numbers_are_those_that_the_engine_would_give(mask, degrees, edges, seed):
    engine = pytest.importorskip("pseudonormal.generate.findings", reason="the engine is not installed here")
    from pseudonormal.scan.scan import Geometry

    matrix = tilted(degrees, -degrees, edges, (3.0, -70.0, 21.5))
    lps = np.diag([-1.0, -1.0, 1.0]) @ matrix[:3, :3] / edges
    origin = tuple(np.diag([-1.0, -1.0, 1.0]) @ matrix[:3, 3])
    geometry = Geometry(mask.shape[::-1], tuple(edges), origin, tuple(lps.ravel()))
    difference = np.random.default_rng(seed).normal(0, 3, mask.shape).astype(np.float32)
    theirs, their_labels = engine.find(mask, geometry, difference, np.ones(mask.shape, bool))
    ours, labels = measure(mask, matrix, difference, middle(matrix, mask.shape))
    np.testing.assert_array_equal(labels, their_labels)
    for one, other in zip(ours, theirs, strict=True):
        assert (one.index, one.bounding_box, one.mean_z, one.peak_z) == (
            other.index,
            other.bounding_box,
            pytest.approx(other.mean_z, abs=1e-6),
            pytest.approx(other.peak_z, abs=1e-6),
        )
        assert one.volume_ml == pytest.approx(other.volume_ml)
        np.testing.assert_allclose(one.centroid_ras, other.centroid_ras, atol=1e-6)


def test_lesions_that_touch_at_a_corner_are_one():
    mask = np.zeros((4, 4, 4), bool)
    mask[0, 0, 0] = mask[1, 1, 1] = mask[3, 3, 3] = True
    labels, count = label_lesions(mask)
    assert count == 2 and labels[0, 0, 0] == labels[1, 1, 1] == 1 and labels[3, 3, 3] == 2
