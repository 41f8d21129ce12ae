"""How two models are held against each other on cases kept aside."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from Testing.conftest import Head

from pseudonormal.cases import Case
from pseudonormal.evaluate.subject import load_subject
from pseudonormal.models.bundle import load_model
from pseudonormal.models.comparison import Comparison
from pseudonormal.retraining.calibrating import recalibrated
from pseudonormal.retraining.judge import compared, means, trusted_voxels
from pseudonormal.scan.writing import write_image


def rows(dice: list[float | None], psnr: list[float | None], *, truth: str = "t", start: int = 0) -> list[dict]:
    """A row for each subject, of whom there is one case each."""
    return [
        {"case": f"c{n}", "subject": f"s{n}", "truth": truth, "dice": d, "psnr_db": p}
        for n, (d, p) in enumerate(zip(dice, psnr, strict=True), start)
    ]


def test_better_on_every_subject_is_better_and_the_other_way_round_it_is_worse():
    new, old = rows([0.7, 0.8, 0.75], [30, 31, 32]), rows([0.6, 0.7, 0.6], [30, 31, 32])
    found = compared(new, old)
    assert found.better
    assert not found.worse
    assert found.subjects == 3
    assert compared(old, new).worse
    assert found.differences["dice"].mean == pytest.approx(0.35 / 3)


def test_one_metric_that_falls_is_enough_to_be_worse():
    found = compared(rows([0.7, 0.8, 0.75], [28, 29, 30]), rows([0.6, 0.7, 0.6], [30, 31, 32]))
    assert found.worse
    assert not found.better
    assert found.objection("2").startswith("is worse than the current version 2")
    assert "dice" not in found.objection("2")


def test_what_goes_up_and_down_is_alike():
    found = compared(rows([0.7, 0.5, 0.6, 0.6], [30] * 4), rows([0.6, 0.6, 0.5, 0.7], [30] * 4))
    assert (found.better, found.worse, found.told) == (False, False, True)
    assert found.objection("2") is None


def test_two_subjects_tell_nothing_however_large_the_difference():
    found = compared(rows([0.1, 0.1], [20, 20]), rows([0.9, 0.9], [40, 40]))
    assert not found.told
    assert not found.worse
    assert found.differences["dice"].mean == pytest.approx(-0.8)
    assert "2 test subject(s), and 3 are needed" in found.objection("2")


def test_many_cases_of_one_person_are_one_subject():
    new = [row | {"subject": "one"} for row in rows([0.7] * 9, [30] * 9)]
    old = [row | {"subject": "one"} for row in rows([0.6] * 9, [29] * 9)]
    assert not compared(new, old).told


def test_only_cases_with_the_same_truth_are_compared():
    old = rows([0.6] * 4, [30] * 4)
    corrected = [*rows([0.7] * 3, [30] * 3), *rows([0.1], [30], truth="another", start=3)]
    assert compared(corrected, old).subjects == 3
    assert compared(corrected, old).better
    assert compared(rows([0.7], [30], truth="another"), old) is None


def test_a_metric_that_cannot_be_said_of_a_case_is_left_out():
    new, old = rows([None, 0.7, 0.7, 0.7], [30] * 4), rows([None, 0.6, 0.6, 0.6], [30] * 4)
    assert compared(new, old).better
    assert means(new) == {"dice": pytest.approx(0.7), "psnr_db": pytest.approx(30)}
    nothing = compared(rows([None] * 4, [30.0] * 4), rows([None] * 4, [30.0] * 4))
    assert set(nothing.differences) == {"psnr_db"}


numbers = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=3, max_size=8)


@given(numbers)
def test_a_comparison_read_backwards_is_that_of_the_other_model(pairs):
    first, second = (rows([pair[side] for pair in pairs], [30] * len(pairs)) for side in (0, 1))
    there, back = compared(first, second), compared(second, first)
    assert there.reversed().differences["dice"].mean == pytest.approx(back.differences["dice"].mean)
    assert (there.better, there.worse) == (there.reversed().worse, there.reversed().better)
    assert there.reversed().reversed() == there
    assert Comparison.from_json(there.as_json()) == there


def test_what_a_reviewer_does_not_trust_does_not_count(a_head: Head, tmp_path: Path):
    weights = np.where(np.indices(a_head.array.shape)[0] > 34, 0, 1).astype(np.float32)
    write_image(weights, a_head.geometry, tmp_path / "weights.nii.gz")
    case = Case("c", "s", image=a_head.scan, mask=a_head.mask, foreground=a_head.brain)
    subject = load_subject(case)
    assert trusted_voxels(case, subject).all()
    marked = Case(
        "c",
        "s",
        image=a_head.scan,
        mask=a_head.mask,
        foreground=a_head.brain,
        extra={"weight": str(tmp_path / "weights.nii.gz")},
    )
    trusted = trusted_voxels(marked, load_subject(marked))
    assert trusted[:35].all()
    assert not trusted[35:].any()


def test_a_candidate_gets_thresholds_of_its_own_where_somebody_is_kept_aside_for_them(a_head: Head, known_models: Path):
    model = load_model("brain-mr")
    case = Case("c", "s", "validation", image=a_head.scan, mask=a_head.mask, foreground=a_head.brain)
    unused = pytest.fail  # the case names its brain
    chosen = recalibrated(model, [case], unused, restores=False)
    assert chosen.lesion_threshold != model.calibration.lesion_threshold
    assert chosen.temperature != model.calibration.temperature
    # the restorer was not trained, so nothing about it was chosen
    assert (chosen.guided_reach, chosen.start_share) == (model.calibration.guided_reach, model.calibration.start_share)
    assert recalibrated(model, [], unused, restores=True) == model.calibration
