"""What is said about trainings and versions, and what people may write."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PseudoNormalLib.engine.training_replies import TrainingStatus
from PseudoNormalLib.training.plan import settings_as_text, settings_in
from PseudoNormalLib.training.versions import compared_in_words
from PseudoNormalLib.training.versions import metrics_in_words as means_in_words
from PseudoNormalLib.training.watch import metrics_in_words

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
