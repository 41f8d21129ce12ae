"""How far lesion probabilities can be believed, and the temperature that mends them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch import nn

from pseudonormal.cases import Case
from pseudonormal.evaluate.calibration import choose_temperature, choose_threshold
from pseudonormal.evaluate.plots import reliability_plot
from pseudonormal.evaluate.real import found_rows
from pseudonormal.evaluate.reliability import BINS, TEMPERATURES, Reliability, best_temperature, of_findings, tempered
from pseudonormal.evaluate.rows import RowStore
from pseudonormal.evaluate.subject import Subject
from pseudonormal.evaluate.tables import pooled_reliability, reliability_table, rows_csv
from pseudonormal.models.bundle import Calibration, Model
from pseudonormal.recipes.detection import LesionFinder, lesion_probability
from pseudonormal.scan.scan import Geometry

SHAPE = (40, 44, 42)


def drawn(probability: np.ndarray, seed: int = 0) -> np.ndarray:
    """Truths that are as likely as was said."""
    return np.random.default_rng(seed).random(probability.shape) < probability


@pytest.fixture(scope="module")
def said() -> np.ndarray:
    return np.random.default_rng(1).beta(0.4, 0.8, 60_000)


def test_what_is_as_likely_as_was_said_has_hardly_an_error(said):
    assert Reliability.of(said, drawn(said)).error < 0.01


def test_the_error_is_the_gap_between_said_and_true():
    half_right = Reliability.of(np.full(1000, 0.9), np.arange(1000) % 2 == 0)
    assert half_right.error == pytest.approx(0.4)
    two_bins = Reliability.of(np.repeat([0.1, 0.7], [300, 100]), np.repeat([False, True], [300, 100]))
    assert two_bins.error == pytest.approx(0.75 * 0.1 + 0.25 * 0.3)


def test_both_ends_have_a_bin():
    ends = Reliability.of(np.array([0.0, 1.0, 1.0 + 1e-7]), np.array([False, True, True]))
    assert (ends.count[0], ends.count[BINS - 1], ends.error) == (1, 2, 0.0)


def test_of_nothing_nothing_is_said():
    assert np.isnan(Reliability.pooled([]).error)


@given(arrays(np.float64, st.integers(1, 60), elements=st.floats(0, 1)), st.integers(0, 2**32 - 1), st.integers(0, 60))
def test_pooling_parts_is_counting_the_whole(probability, seed, cut):
    truth = np.random.default_rng(seed).random(probability.shape) < 0.3
    whole = Reliability.of(probability, truth)
    parts = [Reliability.of(probability[part], truth[part]) for part in (slice(cut), slice(cut, None))]
    pooled = Reliability.from_lists(Reliability.pooled(parts).as_lists())
    assert pooled.error == pytest.approx(whole.error, abs=1e-12)
    assert 0 <= whole.error <= 1


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_the_temperature_that_was_lost_is_found_again(said, temperature):
    overdone = tempered(said, 1 / temperature)  # as a network that is too sure (above 1), or not sure enough
    answers = [(overdone[part], drawn(said)[part]) for part in (slice(None, 20_000), slice(20_000, None))]
    found = best_temperature(answers)
    assert found == pytest.approx(temperature, rel=0.05)
    assert found == best_temperature(answers), "the same each time"
    mended = Reliability.pooled(Reliability.of(tempered(one, found), truth) for one, truth in answers)
    assert mended.error < 0.01


def test_a_temperature_keeps_the_order_and_the_middle(said):
    warm = tempered(said, 3.0)
    assert (np.diff(warm[np.argsort(said)]) >= 0).all()
    assert tempered(np.array([0.5]), 3.0)[0] == pytest.approx(0.5)
    np.testing.assert_allclose(tempered(said.astype(np.float32), 1.0), said.astype(np.float32), atol=2e-6)


def test_a_model_that_is_always_right_gets_no_endless_certainty():
    truth = np.arange(1000) % 2 == 0
    sure = np.where(truth, 0.9, 0.1)
    assert best_temperature([(sure, truth)]) == pytest.approx(TEMPERATURES[0], rel=0.02)


def test_no_temperature_is_chosen_without_a_drawn_mask(a_subject):
    with pytest.raises(ValueError, match="labelled"):
        choose_temperature(a_model(), [], [a_subject])
    with pytest.raises(ValueError, match="validation"):
        best_temperature([])


def test_findings_say_their_mean_and_whether_they_are_true():
    probability = np.zeros((4, 4, 12), np.float32)
    probability[:2, :2, :2], probability[2:, 2:, 8:10] = 0.9, 0.6
    probability[0, 0, 0] = 0.5
    truth = np.zeros(probability.shape, bool)
    truth[1, 1, 1:4] = True
    confidence, right = of_findings(probability, probability > 0.4, truth)
    np.testing.assert_allclose(confidence, [(7 * 0.9 + 0.5) / 8, 0.6], rtol=1e-6)
    assert right.tolist() == [True, False]
    assert [part.size for part in of_findings(probability, truth & False, truth)] == [0, 0]


def a_model(temperature: float = 1.0, slope: float = 2.0) -> Model:
    """Its logit is a multiple of the robust z, less six of them."""
    lesion = nn.Conv3d(2, 1, 1)
    with torch.no_grad():
        lesion.weight.copy_(torch.tensor([slope, 0.0]).view(1, 2, 1, 1, 1))
        lesion.bias.fill_(-3.0 * slope)
    return Model(
        name="by-hand",
        version="1",
        fingerprint="0",
        device=torch.device("cpu"),
        brain=nn.Identity(),
        lesion=lesion.eval(),
        restore=nn.Identity(),
        calibration=Calibration(temperature=temperature),
        trained_families=(),
    )


@pytest.fixture(scope="module")
def a_subject() -> Subject:
    """A ball of noise with two lesions that can hardly be told from it."""
    z, y, x = np.indices(SHAPE) - np.array([20, 22, 21])[:, None, None, None]
    foreground = z**2 + y**2 + x**2 < 17**2
    lesion = (z - 6) ** 2 + y**2 + x**2 < 4**2
    lesion |= (z + 7) ** 2 + (y - 3) ** 2 + x**2 < 3**2
    raw = np.where(foreground, 100 + np.random.default_rng(0).normal(0, 10, SHAPE) + 33 * lesion, 0).astype(np.float32)
    geometry = Geometry(SHAPE[::-1], (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
    return Subject(Case("a", "a", "test", image=Path("a.nii.gz")), raw, geometry, foreground, lesion)


def test_a_model_answers_at_its_temperature(a_subject):
    plain = lesion_probability(a_subject.raw, a_subject.foreground, a_model())
    warm = lesion_probability(a_subject.raw, a_subject.foreground, a_model(temperature=2.0))
    inside = a_subject.foreground
    np.testing.assert_allclose(warm[inside], tempered(plain[inside], 2.0), atol=1e-3)
    assert not warm[~inside].any()
    assert LesionFinder(a_model()).fingerprint != LesionFinder(a_model(temperature=2.0)).fingerprint


def test_calibrating_lowers_the_error_and_the_likelihood_does_not_care_what_it_was_before(a_subject):
    overconfident = a_model(slope=6.0)
    tempering = choose_temperature(overconfident, [a_subject], [])
    assert tempering.temperature > 1.2
    assert tempering.after.error < tempering.before.error
    again = replace(overconfident, calibration=Calibration(temperature=tempering.temperature))
    assert choose_temperature(again, [a_subject], []).temperature == tempering.temperature


def test_the_threshold_is_chosen_at_the_temperature(a_subject):
    chosen = [
        choose_threshold(a_model(), [a_subject], [], Calibration(temperature=temperature)) for temperature in (1.0, 4.0)
    ]
    assert [calibration.temperature for calibration in chosen] == [1.0, 4.0]
    assert chosen[1].lesion_threshold != chosen[0].lesion_threshold


def test_an_evaluation_says_how_far_probabilities_can_be_believed(a_subject, tmp_path):
    normal = replace(a_subject, lesion=a_subject.lesion & False, case=Case("n", "n", "test", image=Path("n.nii.gz")))
    other = replace(a_subject.case, case="v", subject="v", split="validation")
    judged = replace(a_subject, case=other, raw=a_subject.raw[::-1], lesion=a_subject.lesion[::-1])
    store = RowStore(tmp_path / "rows.jsonl")
    finder = LesionFinder(a_model())
    rows = [row for subject in (a_subject, normal, judged) for row in found_rows(subject, finder, (), store)]
    probability = lesion_probability(a_subject.raw, a_subject.foreground, a_model())
    inside = a_subject.foreground
    assert rows[0]["ece"] == pytest.approx(
        Reliability.of(probability[inside], a_subject.lesion[inside]).error, abs=1e-4
    )
    pooled = pooled_reliability(rows)
    assert pooled["voxels"].count.sum() == 2 * inside.sum(), "validation cases chose the thresholds"
    table = reliability_table(rows)
    assert [line.group[0] for line in table.lines] == ["voxels", "findings"]
    assert table.lines[0].cells["share_true"].mean == pytest.approx(a_subject.lesion.sum() / (2 * inside.sum()))
    assert "count" not in rows_csv(rows), "bins are no column of the CSV"
    assert reliability_plot(pooled).startswith(b"\x89PNG")


def test_a_segmenter_that_says_no_probability_is_only_counted(a_subject, tmp_path):
    def bright(image, foreground):
        return foreground & (image > 1.1)

    rows = found_rows(a_subject, bright, (), RowStore(tmp_path / "rows.jsonl"))
    assert "ece" not in rows[0] and "dice" in rows[0]
    assert reliability_table(rows) is None
