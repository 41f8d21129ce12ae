"""What is said about trainings and versions, and what people may write."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PseudoNormalLib.engine.training_replies import MaterialInfo, RecipeInfo, TrainingStatus
from PseudoNormalLib.training.database import MOST, build_plan, count_in, preview_plan
from PseudoNormalLib.training.plan import settings_as_text, settings_in
from PseudoNormalLib.training.versions import compared_in_words
from PseudoNormalLib.training.versions import metrics_in_words as means_in_words
from PseudoNormalLib.training.watch import metrics_in_words
from PseudoNormalLib.training.words import material_in_words, news_in_words, queue_rows, state_in_words

keys = st.from_regex(r"[a-z][a-z0-9_]{0,10}", fullmatch=True)
values = st.from_regex(r"[A-Za-z0-9_.,:/+-]{1,10}", fullmatch=True)


@given(st.dictionaries(keys, values))
def test_settings_come_back_as_they_were_written(settings):
    assert settings_in(settings_as_text(settings)) == settings


@pytest.mark.parametrize("text", ["batch", "batch = 1", "--set", "Batch=1", "batch=1;rm", "=1"])
def test_what_is_no_setting_is_named(text):
    with pytest.raises(ValueError, match="no setting"):
        settings_in(text)


def test_the_newest_numbers_are_told_whichever_line_they_came_in():
    lines = [
        {"step": 20, "loss": 0.5, "check_dice": 0.4},
        {"step": 40, "loss": 0.25, "seg": 0.1, "minutes": 1.0},
        {"stage": "judging", "done": 0.5},
    ]
    assert metrics_in_words(lines) == "step 40 · loss 0.25 · dice 0.4"
    assert metrics_in_words([{"stage": "material"}]) == ""


@pytest.mark.parametrize(
    ("better", "worse", "interval", "verdict"),
    [
        (True, False, [0.05, 0.01, 0.09], "better; Dice +0.05 (+0.01 … +0.09)"),
        (False, True, [-0.05, -0.09, -0.01], "worse; Dice -0.05 (-0.09 … -0.01)"),
        (False, False, [0.01, -0.02, 0.04], "no clear difference; Dice +0.01 (-0.02 … +0.04)"),
        (False, False, [0.01, None, None], "too few subjects to tell; Dice +0.01"),
    ],
)
def test_a_comparison_is_told_with_its_interval(better, worse, interval, verdict):
    assert compared_in_words({"better": better, "worse": worse, "difference": {"dice": interval}}) == verdict


def test_means_leave_out_what_cannot_be_said():
    assert means_in_words({"dice": 0.61234, "psnr_db": None}) == "Dice 0.612"


def test_the_remedy_is_what_the_error_says_to_set():
    error = "the GPU's memory is full: --resume --set batch=1 --set patch=48 goes on with less"
    assert TrainingStatus("a", "smile", "failed", error=error).remedy == {"batch": "1", "patch": "48"}
    assert TrainingStatus("a", "smile", "failed", error="the disk is full").remedy == {}


def a_database(identity, state="done", *, keep=True, seed=0, **more):
    asked = {"generator": "g", "count": 40, "seed": seed, "keep": keep}
    return TrainingStatus(identity, "um", state, database=asked, created="2026-11-29T22:10:00+00:00", **more)


GENERATOR = TrainingStatus(
    "g", "um", "done", created="2026-11-28T09:30:00+00:00", progress=1.0, generator={"recipe": "um", "subjects": 3}
)


def test_a_database_is_told_apart_from_a_training():
    runs = a_database("d", "running", message="12 of 40 scans made", minutes_left=0.5, progress=0.3)
    assert state_in_words(runs) == "um: 40 scans · running · 12 of 40 scans made · about 30 s left"
    assert queue_rows([runs, GENERATOR]) == [
        ["2026-11-29 22:10", "um: 40 scans", "11-28 09:30", "running", "30 %"],
        ["2026-11-28 09:30", "um", "", "done", "100 %"],
    ]
    result = {"cases": 40, "made": 12, "with_lesion": 23, "added": 38}
    assert news_in_words(a_database("d", result=result), []) == (
        "40 synthetic scans were made, 23 with a lesion; 38 were added to the case store."
    )
    assert news_in_words(a_database("d", keep=False, result=result), []).endswith("none was kept.")
    assert news_in_words(GENERATOR, []).startswith("A generator was made, and no version of a model.")


def test_synthetic_cases_are_told_where_there_are_some_and_generators_do_not_use_them():
    counts = {"labelled": 9, "unlabelled": 4, "subjects": {"train": 7}}
    model = RecipeInfo("smile", "", trainable=True, makes="model")
    scans = RecipeInfo("um", "", trainable=True, makes="scans")
    assert "synthetic" not in material_in_words(MaterialInfo(**counts), model)
    made = MaterialInfo(**counts, synthetic=40)
    assert "4 without one and 40 synthetic ones." in material_in_words(made, model)
    assert "40" not in material_in_words(made, scans) and "not use the synthetic" in material_in_words(made, scans)


def test_every_database_of_a_generator_has_scans_of_its_own_and_the_preview_shows_the_next():
    known = [a_database("b", keep=False, seed=5), a_database("a", "stopped", seed=2), GENERATOR]
    training = SimpleNamespace(watch=SimpleNamespace(trainings=known))
    next_ = build_plan(training, GENERATOR, 40)
    assert (next_.seed, next_.keep) == (3, True)
    shown = preview_plan(training, GENERATOR)
    assert (shown.seed, shown.keep) == (3, False) and shown.count < next_.count
    other = TrainingStatus("other", "um", "done", generator={"recipe": "um", "subjects": 3})
    assert build_plan(training, other, 1).seed == 0


@given(st.text() | st.integers().map(str) | st.integers(1, 2 * MOST).map(str))
def test_a_count_is_what_is_written_or_nothing(text):
    count = count_in(text)
    assert 0 <= count <= MOST
    assert not count or int(text) == count
    assert count_in(str(count)) == count
