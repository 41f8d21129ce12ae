"""MM-FID and MM-STD: right where the answer is known, fair between generators, and silent on too few images."""

from __future__ import annotations

import csv
import json
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from monai.networks.nets import resnet18
from safetensors.torch import save_file
from Testing.um_heads import HEADER, write_cases

from pseudonormal.errors import InputError
from pseudonormal.evaluate.features import at_resolution, default_features, features_of, named_features
from pseudonormal.evaluate.realism import frechet, realism, row_normalised, variety
from pseudonormal.evaluate.realism_table import METRICS
from pseudonormal.networks.encoder import FEATURES


@settings(max_examples=25)
@given(st.integers(0, 10**6))
def test_the_distance_is_that_of_the_formula(seed):
    rng = np.random.default_rng(seed)
    mean, deviation = rng.normal(0, 2, 3), rng.uniform(0.5, 2, 3)
    first = rng.standard_normal((4000, 3))
    first = (first - first.mean(0)) @ np.linalg.inv(
        np.linalg.cholesky(np.cov(first, rowvar=False))
    ).T  # exactly N(0, 1)
    second = first * deviation + mean
    expected = (mean**2).sum() + ((deviation - 1) ** 2).sum()  # of diagonal covariances
    assert frechet(first, second) == pytest.approx(expected, rel=1e-6)
    assert frechet(second, first) == pytest.approx(expected, rel=1e-6)
    assert frechet(first, first) == pytest.approx(0, abs=1e-6)
    assert variety(second) == pytest.approx(np.sqrt(deviation**2 * 3999 / 4000).mean())


def some_features(rng, count=120, shift=0.0, spread=1.0):
    return {("encoder", edge): shift + spread * rng.standard_normal((count, 4)) for edge in (24, 48)}


def test_generators_are_ranked_and_what_is_real_scores_one():
    rng = np.random.default_rng(0)
    real = some_features(rng, 400)
    kinds = {"as real": (0, 1), "aside": (0.7, 1), "far": (2, 1), "dull": (0, 0.4)}
    found = realism(real, {name: some_features(rng, 300, *how) for name, how in kinds.items()})
    assert found.count == 200
    assert found.fid["as real"].value == pytest.approx(1, abs=0.6)
    assert found.fid["as real"].value < found.fid["aside"].value < found.fid["far"].value
    for score in found.fid.values():
        assert score.low < score.high
        assert score.value > 0
    assert found.fid["aside"].low > 1
    assert found.std["dull"].value == pytest.approx(0.4, abs=0.05)
    assert found.std["as real"].low < 1 < found.std["as real"].high
    again = realism(real, {"far": some_features(np.random.default_rng(7), 300, 2)})
    assert again.fid["far"].value > 5


def test_more_images_of_one_generator_give_it_no_advantage():
    rng = np.random.default_rng(1)
    real, many = some_features(rng, 400), some_features(rng, 1000, 0.3)
    few = {key: value[:200] for key, value in many.items()}
    found = realism(real, {"many": many, "few": few})
    assert found.fid["many"].value == pytest.approx(found.fid["few"].value, rel=0.25)


def test_rows_of_length_one_can_rank_nobody():
    near = {("encoder", edge): value for edge, value in ((24, 1.0), (48, 2.0), (96, 3.0))}
    far = {key: 100 * value for key, value in near.items()}
    assert row_normalised(near) == pytest.approx(row_normalised(far))


@pytest.mark.parametrize(("real", "made", "said"), [(15, 40, "15 real slices"), (100, 7, "7 synthetic slices")])
def test_too_few_images_are_refused(real, made, said):
    rng = np.random.default_rng(0)
    with pytest.raises(InputError, match=said):
        realism(some_features(rng, real), {"made": some_features(rng, made)})


def test_the_encoder_that_ships_tells_a_spoilt_image_from_a_good_one():
    rng = np.random.default_rng(0)
    slices = np.full((200, 96, 96), -1, np.float32)
    y, x = np.indices((96, 96)) - 48
    inside = (y / 40) ** 2 + (x / 32) ** 2 < 1
    for number in range(len(slices)):
        wave = 0.3 * np.sin(y / rng.uniform(3, 8) + rng.uniform(0, 6)) * np.cos(x / rng.uniform(3, 8))
        slices[number][inside] = (wave + rng.normal(0, 0.1))[inside]
    noisy = np.where(inside, slices + 0.4 * rng.standard_normal(slices.shape), -1).astype(np.float32)
    functions = default_features()
    assert set(functions) == {"encoder", "random"}
    features = {name: features_of(some, functions, (48, 96)) for name, some in (("real", slices), ("noisy", noisy))}
    assert {one.shape for one in features["real"].values()} == {(200, FEATURES)}
    assert set(features["real"]) == {(name, edge) for name in functions for edge in (48, 96)}
    found = realism(features["real"], {"the same": features["real"], "noisy": features["noisy"]})
    assert found.fid["noisy"].value > 2 * found.fid["the same"].value
    assert at_resolution(slices, 24).shape == (200, 24, 24)


def test_networks_of_others_can_be_brought_along(tmp_path):
    torch.manual_seed(0)
    network = resnet18(spatial_dims=2, n_input_channels=3, num_classes=5, shortcut_type="B", bias_downsample=False)
    weights = {name: value.contiguous() for name, value in network.state_dict().items()}
    save_file(weights, tmp_path / "given.safetensors")
    functions = named_features([f"resnet18={tmp_path / 'given.safetensors'}"])
    assert functions["resnet18"](np.zeros((3, 32, 32), np.float32)).shape == (3, 512)
    for word, said in (
        ("inception=x", "write KIND=FILE"),
        (f"resnet18={tmp_path / 'none'}", "is missing"),
        (f"resnet50={tmp_path / 'given.safetensors'}", "do not fit"),
    ):
        with pytest.raises(InputError, match=said):
            named_features([word])


def test_the_command_measures_and_refuses(command, tmp_path):
    real = write_cases(tmp_path / "real", drawn=(True,) * 8, split="test")
    made = write_cases(tmp_path / "made", drawn=(True,) * 5)
    rows = made.read_text(encoding="utf-8").splitlines()
    made.write_text("\n".join([f"{rows[0]},synthetic", *(f"{row},1" for row in rows[1:])]) + "\n", encoding="utf-8")
    call = ("evaluate", real, "-o", tmp_path / "out", "--metric", "mm-fid", "--metric", "mm-std", "--rows")
    said = command(*call, "--synthetic", f"mine={made}", "--resolution", 16, "--resolution", 24)
    assert said.code == 0, said.err
    assert "| mine |" in said.out
    assert "row-normalised" in said.out
    table = list(csv.DictReader((tmp_path / "out" / "realism.csv").open(encoding="utf-8")))
    entries = {(row["metric"], row["features"], row["resolution"]) for row in table}
    assert entries == set(product(METRICS, ("encoder", "random"), ("16", "24")))
    found = json.loads((tmp_path / "out" / "realism.json").read_text(encoding="utf-8"))
    assert found["mm-fid"]["mine"]["low"] <= found["mm-fid"]["mine"]["high"]

    few = tmp_path / "real" / "few.csv"
    few.write_text("\n".join(real.read_text(encoding="utf-8").splitlines()[:3]) + "\n", encoding="utf-8")
    empty = tmp_path / "real" / "empty.csv"
    empty.write_text(HEADER, encoding="utf-8")
    for arguments, said_then in (
        ((few, "--metric", "mm-fid", "--synthetic", made), "too few"),
        ((real, "--metric", "fid", "--synthetic", made), "--metric fid: not known"),
        ((real, "--metric", "mm-fid"), "give --synthetic"),
        ((real, "--metric", "mm-fid", "--synthetic", real), "marks no case as synthetic"),
        ((real, "--metric", "mm-fid", "--synthetic", made, "--resolution", 8), "16 pixels"),
    ):
        refused = command("evaluate", *arguments, "-o", tmp_path / "o")
        assert refused.code == 2
        assert len(refused.lines) == 1
        assert said_then in refused.lines[0]
