"""How a training is said to be done: settings and options, on the command line and in a run's folder."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from Testing.trainees import GameOptions

from pseudonormal.errors import InputError
from pseudonormal.training.settings import Settings, read_options, read_settings, with_overrides, write_settings


def test_settings_are_changed_by_their_types():
    changed, _ = with_overrides(
        Settings(), None, ["minutes=1.5", "steps = 7", "average=0", "learning_rate=1e-4", "bfloat16=no", "shrink=1"]
    )
    assert changed == replace(
        Settings(), minutes=1.5, steps=7, average=0.0, learning_rate=1e-4, bfloat16=False, shrink=True
    )
    assert isinstance(changed.steps, int)


def test_what_is_no_setting_is_an_option_of_the_recipe():
    settings, options = with_overrides(Settings(), GameOptions(), ["factor=-3", "steps=7", "shy=yes", "colour=blue"])
    assert settings == replace(Settings(), steps=7)
    assert options == GameOptions(factor=-3.0, shy=True, colour="blue")


@pytest.mark.parametrize(
    ("pair", "said"),
    [
        ("epochs=3", "minutes, steps"),
        ("epochs=3", "factor, shy, colour"),
        ("steps", "KEY=VALUE"),
        ("device=cpu", "one of the settings"),
        ("steps=1.5", "whole number"),
        ("minutes=long", "must be a number"),
        ("minutes=nan", "finite"),
        ("minutes=inf", "finite"),
        ("batch=0", "above 0"),
        ("workers=-1", "at least 0"),
        ("average=1", "not 1"),
        ("bfloat16=maybe", "1 or 0"),
        ("factor=big", "must be a number: for instance factor=2.0"),
        ("factor=inf", "finite"),
        ("shy=2", "1 or 0"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(pair, said):
    with pytest.raises(InputError, match=said):
        with_overrides(Settings(), GameOptions(), [pair])


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"recipe": "brain", "speed": 3}'])
def test_damaged_settings_of_a_run_are_refused(tmp_path, content):
    (tmp_path / "settings.json").write_text(content)
    with pytest.raises(InputError, match="damaged"):
        read_settings(tmp_path)


def test_settings_and_options_come_back(tmp_path):
    settings, options = replace(Settings(), steps=1, seed=11), GameOptions(factor=3.0)
    write_settings(tmp_path, "game", settings, options)
    assert read_settings(tmp_path) == ("game", settings)
    assert read_options(tmp_path, GameOptions()) == options
    with pytest.raises(InputError, match="damaged"):
        read_options(tmp_path, settings)


def test_a_run_that_was_begun_before_there_were_options_takes_what_holds_now(tmp_path):
    (tmp_path / "settings.json").write_text(json.dumps({"recipe": "brain", "minutes": 3.0}))
    assert read_settings(tmp_path) == ("brain", replace(Settings(), minutes=3.0))
    assert read_options(tmp_path, GameOptions()) == GameOptions()
    assert read_options(tmp_path, None) is None
