"""The training loop: it learns, tells how it goes, and ends when its budget is spent."""

from __future__ import annotations

import json
from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from Testing.trainees import TINY, Crowd, Doubling, Game, GameOptions
from torch import nn

from pseudonormal.errors import InputError
from pseudonormal.training.holding import held
from pseudonormal.training.settings import read_options, read_settings
from pseudonormal.training.trainer import train


def lines_of(run):
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]


def factor_in(weights):
    return load_file(weights["paint"])["weight"].item()


def test_it_learns_and_tells(tmp_path):
    told = []
    run = tmp_path / "run"
    paths = train(Doubling(), run, replace(TINY, steps=200), progress=told.append)
    assert paths == {"doubling": run / "doubling.safetensors"}
    assert load_file(paths["doubling"])["weight"].item() == pytest.approx(2, abs=0.2)
    log = lines_of(run)
    assert log == told
    assert log[-1]["step"] == 200
    assert log[-1]["loss"] < 0.1 * log[0]["loss"]
    assert {"bias", "minutes", "minutes_left", "done"} <= set(log[0])
    assert [line["done"] for line in log] == pytest.approx([line["step"] / 200 for line in log])
    assert (log[-1]["done"], log[-1]["minutes_left"]) == (1, 0)
    assert read_settings(run) == ("doubling", replace(TINY, steps=200))


def test_two_trainings_do_not_share_a_folder(tmp_path):
    run = tmp_path / "run"
    with held(run), pytest.raises(InputError, match=r"run: another process is training there: wait"):
        train(Doubling(), run, replace(TINY, steps=2))
    assert not run.exists()
    train(Doubling(), run, replace(TINY, steps=2))
    train(Doubling(), run, replace(TINY, steps=4), resume=True)
    assert lines_of(run)[-1]["step"] == 4


@pytest.mark.parametrize("workers", [0, 2])
def test_a_seed_gives_the_same_weights(tmp_path, workers):
    settings = replace(TINY, steps=20, workers=workers)
    runs = [
        load_file(train(Doubling(), tmp_path / name, replace(settings, seed=seed))["doubling"])
        for name, seed in (("a", 3), ("b", 3), ("c", 4))
    ]
    assert all(torch.equal(runs[0][key], runs[1][key]) for key in runs[0])
    assert not all(torch.equal(runs[0][key], runs[2][key]) for key in runs[0])


def test_a_minutes_budget_ends_it(tmp_path):
    train(Doubling(), tmp_path, replace(TINY, minutes=1e-3, steps=10**6))
    last = lines_of(tmp_path)[-1]
    assert 0 < last["step"] < 10**6
    assert last["done"] == 1


def test_another_run_is_not_overwritten(tmp_path):
    train(Doubling(), tmp_path, replace(TINY, steps=2))
    with pytest.raises(InputError, match="--resume"):
        train(Doubling(), tmp_path, TINY)


def test_players_take_turns_and_move_only_their_own_networks(tmp_path):
    game = Game()
    weights = train(game, tmp_path, replace(TINY, steps=150))
    assert set(weights) == {"paint", "guess"}
    assert [player for player, *_ in game.turns[:4]] == ["painter", "judge", "painter", "judge"]
    assert game.turns[0][1] == pytest.approx(0, abs=1e-6)
    assert all(0 <= done < 1 for _, done, *_ in game.turns)
    # the judge would like to guess what is painted, and the painter could help it: neither touches the other
    assert factor_in(weights) == pytest.approx(2, abs=0.2)
    assert load_file(weights["guess"])["weight"].item() == pytest.approx(2, abs=0.3)
    assert {"loss", "seen_through", "judge_loss"} <= set(lines_of(tmp_path)[0])


def test_a_network_that_nobody_moves_stays_as_it_was(tmp_path):
    class Still(Game):
        players = MappingProxyType({"painter": ("paint",)})

    begun = tmp_path / "begun.safetensors"
    save_file({"weight": torch.full((1, 1, 1, 1), 0.5)}, begun)
    weights = train(Still(), tmp_path / "run", TINY, start={"guess": begun})
    assert load_file(weights["guess"])["weight"].item() == pytest.approx(0.5)


def test_a_batch_holds_rows_of_every_stream(tmp_path):
    game = Game()
    train(game, tmp_path, replace(TINY, steps=3, batch=3))
    assert all(known == [1, 1, 1, 0, 0, 0] for _, _, known, _ in game.turns)


def test_a_stream_that_the_recipe_does_not_name_is_a_mistake(tmp_path):
    game = Game()
    game.samples = lambda rng: ({**sample, "stream": "new"} for sample in Game().samples(rng))
    with pytest.raises(ValueError, match="'new'"):
        train(game, tmp_path, TINY)


def test_the_larger_the_samples_the_fewer_are_in_a_batch(tmp_path):
    crowd, sizes = Crowd(), set()

    def loss(networks, batch, turn):
        sizes.add((batch["image"].shape[-1], len(batch["image"])))
        return Crowd.loss(crowd, networks, batch, turn)

    crowd.loss = loss
    train(crowd, tmp_path, replace(TINY, steps=30, batch=5))
    assert sizes == {(8, 10), (16, 4), (24, 2)}  # 5, 2 and 1 rows of each of two streams


def test_teachers_are_the_moving_averages_at_rest(tmp_path):
    seen = []

    class Taught(Doubling):
        def loss(self, networks, batch, turn):
            teacher = turn.teachers["doubling"]
            seen.append((teacher.weight.item(), networks["doubling"].weight.item()))
            assert not teacher.training
            assert not teacher(batch["image"]).requires_grad
            return super().loss(networks, batch, turn)

    last = load_file(train(Taught(), tmp_path, replace(TINY, average=0.9))["doubling"])["weight"].item()
    assert seen[0][0] == seen[0][1]
    keep = [min(0.9, (1 + step) / (10 + step)) for step in range(1, 41)]
    for (before, _), (after, moved), kept in zip(seen, seen[1:], keep, strict=False):
        assert after == pytest.approx(kept * before + (1 - kept) * moved, abs=1e-5)
    assert last == pytest.approx(seen[-1][0], abs=0.1)


def test_a_network_may_look_at_what_it_said_before_without_gradients(tmp_path):
    """In half precision a weight that was used first without gradients must get its gradients all the same."""

    class Doubtful(Doubling):
        def loss(self, networks, batch, turn):
            with torch.no_grad():
                networks["doubling"](batch["image"])
            return super().loss(networks, batch, turn)

    weights = load_file(train(Doubtful(), tmp_path, replace(TINY, steps=200, bfloat16=True))["doubling"])
    assert weights["weight"].item() == pytest.approx(2, abs=0.2)


def test_a_gradient_that_is_no_number_costs_a_step_and_not_the_training(tmp_path):
    class Unlucky(Doubling):
        turns = 0

        def loss(self, networks, batch, turn):
            self.turns += 1
            terms = super().loss(networks, batch, turn)
            weight = networks["doubling"].weight
            # the square root's slope at 0 is infinite
            return (
                terms if self.turns % 7 else {**terms, "loss": terms["loss"] + (weight - weight.detach()).sqrt().sum()}
            )

    weights = load_file(train(Unlucky(), tmp_path, replace(TINY, steps=200))["doubling"])
    assert weights["weight"].item() == pytest.approx(2, abs=0.2)


def test_checks_are_made_now_and_then_and_at_the_end(tmp_path):
    weights = train(Game(), tmp_path, replace(TINY, steps=40, checks=4))
    checked = [line for line in lines_of(tmp_path) if "check_factor" in line]
    assert [line["step"] for line in checked] == [10, 20, 30, 40]
    assert checked[-1]["check_factor"] == pytest.approx(factor_in(weights))
    assert (tmp_path / "example.png").exists()


def test_single_networks_begin_with_given_weights(tmp_path):
    begun = tmp_path / "begun.safetensors"
    save_file({"weight": torch.full((1, 1, 1, 1), 2.0)}, begun)
    weights = train(Game(), tmp_path / "run", replace(TINY, steps=1, learning_rate=1e-6), start={"paint": begun})
    assert factor_in(weights) == pytest.approx(2, abs=1e-3)
    assert lines_of(tmp_path / "run")[0]["loss"] == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize("content", [{"weight": torch.zeros(3)}, {"bias": torch.zeros(1)}, None])
def test_weights_that_do_not_fit_are_refused_by_name(tmp_path, content):
    path = tmp_path / "other.safetensors"
    if content is None:
        path.write_bytes(b"no weights")
    else:
        save_file(content, path)
    with pytest.raises(InputError, match=r"other\.safetensors: .*'paint'") as refused:
        train(Game(), tmp_path / "run", TINY, start={"paint": path})
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "run").exists()


def test_options_are_kept_with_the_run(tmp_path):
    options = GameOptions(factor=3.0, shy=True, colour="blue")
    train(Game(options), tmp_path, replace(TINY, steps=2))
    assert read_options(tmp_path, GameOptions()) == options
    assert read_settings(tmp_path) == ("game", replace(TINY, steps=2))


@pytest.mark.parametrize("fast", [True, False])
def test_half_precision_is_used_where_it_is_wished_and_fast(tmp_path, monkeypatch, fast):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": fast})
    kinds = set()

    class Curious(Doubling):
        def loss(self, networks, batch, turn):
            kinds.add(networks["doubling"](batch["image"]).dtype)
            return super().loss(networks, batch, turn)

    train(Curious(), tmp_path / "half", replace(TINY, steps=1, bfloat16=True))
    assert kinds == {torch.bfloat16 if fast else torch.float32}
    kinds.clear()
    train(Curious(), tmp_path / "single", replace(TINY, steps=1))
    assert kinds == {torch.float32}


def test_a_sample_is_used_about_as_often_as_said(tmp_path):
    made = []

    class Counted(Doubling):
        def samples(self, rng):
            for sample in super().samples(rng):
                made.append(sample)
                yield sample

    train(Counted(), tmp_path, replace(TINY, steps=100, batch=2, reuse=4, pool=8))
    assert 200 / 4 <= len(made) <= 200 / 4 + 8 + 4


def test_networks_on_3d_and_2d_patches_are_laid_out_for_their_convolutions(tmp_path):
    laid_out = []

    class Deep(Doubling):
        def networks(self):
            return {"doubling": nn.Sequential(nn.Conv3d(1, 2, 3, padding=1), nn.Conv3d(2, 1, 3, padding=1))}

        def loss(self, networks, batch, turn):
            weight = networks["doubling"][1].weight
            laid_out.append(weight.is_contiguous(memory_format=torch.channels_last_3d))
            return super().loss(networks, batch, turn) | {"mean": batch["image"].mean()}

    train(Deep(), tmp_path, replace(TINY, steps=1))
    assert laid_out == [True]


def test_what_samples_hold_beyond_arrays_is_theirs(tmp_path):
    class Named(Doubling):
        def samples(self, rng):
            for sample in super().samples(rng):
                yield {**sample, "subject": "one", "number": 3}

        def redraw(self, sample, rng):
            assert sample["subject"] == "one"
            return {**super().redraw(sample, rng), "number": np.float32(1)}

    train(Named(), tmp_path, replace(TINY, steps=2, workers=1))
