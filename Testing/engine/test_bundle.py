"""Models on disk: written as MONAI bundles, checked before they are used."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from monai.bundle import ConfigParser
from safetensors.torch import save_file

from pseudonormal.errors import InputError
from pseudonormal.models.bundle import (
    FOLDER_VARIABLE,
    NETWORKS,
    Calibration,
    find_bundle,
    load_model,
    model_folders,
    read_metadata,
    write_bundle,
)
from pseudonormal.networks.restorer import RestorerNetwork

CARD = {
    "version": "1.2.3",
    "description": "a test",
    "trained_families": ["replacing", "opaque"],
    "trained_contrasts": ["flair", "t1"],
    "data": "none",
    "readme": "# A model card\n",
}
CALIBRATION = Calibration(lesion_threshold=0.4, least_ml=0.1, guided_reach=0.7, start_share=0.1)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("weights")
    torch.manual_seed(0)
    paths = {}
    for key, factory in NETWORKS.items():
        paths[key] = folder / f"{key}.safetensors"
        save_file({name: value.half() for name, value in factory().state_dict().items()}, paths[key])
    return paths


@pytest.fixture(scope="module")
def licence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("licence") / "LICENSE"
    path.write_text("Apache-2.0", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def a_written_bundle(tmp_path_factory: pytest.TempPathFactory, weights: dict[str, Path], licence: Path) -> Path:
    folder = tmp_path_factory.mktemp("models") / "a-model"
    write_bundle(folder, weights, CARD, CALIBRATION, licence=licence)
    return folder


@pytest.fixture
def a_bundle(a_written_bundle: Path, tmp_path: Path) -> Path:
    """A copy to damage: files are linked, so unlink before writing."""
    return Path(shutil.copytree(a_written_bundle, tmp_path / "a-model", copy_function=os.link))


@pytest.fixture(autouse=True)
def _nothing_else_is_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)


def rewrite(path: Path, content: bytes) -> None:
    path.unlink()
    path.write_bytes(content)


def test_what_is_written_is_loaded(a_written_bundle: Path, weights: dict[str, Path]) -> None:
    model = load_model(str(a_written_bundle))
    assert (model.name, model.version) == ("a-model", "1.2.3")
    assert model.calibration == CALIBRATION
    assert model.trained_families == ("replacing", "opaque")
    assert model.trained_contrasts == ("flair", "t1")
    assert isinstance(model.restore, RestorerNetwork)
    torch.manual_seed(0)
    for key, factory in NETWORKS.items():
        network = getattr(model, key)
        assert not network.training
        for (name, value), (_, other) in zip(factory().state_dict().items(), network.state_dict().items(), strict=True):
            assert torch.equal(value.half().float(), other), name


def test_a_bundle_holds_its_card_its_licence_and_no_pickles(a_written_bundle: Path) -> None:
    files = {str(path.relative_to(a_written_bundle)) for path in a_written_bundle.rglob("*") if path.is_file()}
    assert files == {
        "LICENSE",
        "configs/inference.json",
        "configs/metadata.json",
        "docs/README.md",
        *(f"models/{key}.safetensors" for key in NETWORKS),
    }
    assert (a_written_bundle / "docs/README.md").read_text(encoding="utf-8") == CARD["readme"]


def test_monai_can_build_the_networks(a_written_bundle: Path) -> None:
    parser = ConfigParser()
    parser.read_config(str(a_written_bundle / "configs" / "inference.json"))
    parser.read_meta(str(a_written_bundle / "configs" / "metadata.json"))
    for key in NETWORKS:
        network = parser.get_parsed_content(key)
        assert isinstance(network, torch.nn.Module)
        wanted = NETWORKS[key]().state_dict()
        assert {name: value.shape for name, value in network.state_dict().items()} == {
            name: value.shape for name, value in wanted.items()
        }
    assert parser["_meta_#version"] == "1.2.3"


def test_the_fingerprint_changes_with_the_weights(
    a_written_bundle: Path, tmp_path: Path, weights: dict[str, Path], licence: Path
) -> None:
    other = tmp_path / "brain.safetensors"
    save_file({name: value + 1 for name, value in NETWORKS["brain"]().state_dict().items()}, other)
    write_bundle(tmp_path / "other", {**weights, "brain": other}, CARD, CALIBRATION, licence=licence)
    assert load_model(str(tmp_path / "other")).fingerprint != load_model(str(a_written_bundle)).fingerprint


def test_writing_replaces_a_bundle_as_a_whole(a_bundle: Path, weights: dict[str, Path], licence: Path) -> None:
    (a_bundle / "models" / "old.safetensors").touch()
    write_bundle(a_bundle, weights, {**CARD, "version": "2"}, CALIBRATION, licence=licence)
    assert read_metadata(a_bundle)["version"] == "2"
    assert not (a_bundle / "models" / "old.safetensors").exists()
    assert [path.name for path in a_bundle.parent.iterdir()] == ["a-model"]


@pytest.mark.parametrize(
    "damage", [lambda content: content[:-1] + bytes([content[-1] ^ 1]), lambda content: content[:1000]]
)
@pytest.mark.parametrize("key", NETWORKS)
def test_damaged_weights_are_refused(damage: Callable[[bytes], bytes], key: str, a_bundle: Path) -> None:
    path = a_bundle / "models" / f"{key}.safetensors"
    rewrite(path, damage(path.read_bytes()))
    with pytest.raises(InputError, match=rf"{key}\.safetensors.*damaged"):
        load_model(str(a_bundle))


def test_missing_weights_are_named(a_bundle: Path) -> None:
    (a_bundle / "models" / "lesion.safetensors").unlink()
    with pytest.raises(InputError, match=r"lesion\.safetensors.*missing"):
        load_model(str(a_bundle))


def test_weights_of_another_network_are_refused(tmp_path: Path, weights: dict[str, Path], licence: Path) -> None:
    write_bundle(tmp_path / "swapped", {**weights, "brain": weights["lesion"]}, CARD, CALIBRATION, licence=licence)
    with pytest.raises(InputError, match=r"brain\.safetensors.*do not fit"):
        load_model(str(tmp_path / "swapped"))


def test_a_file_that_is_no_safetensors_is_refused(tmp_path: Path, weights: dict[str, Path], licence: Path) -> None:
    (tmp_path / "text").write_text("no weights", encoding="utf-8")
    write_bundle(tmp_path / "text-model", {**weights, "brain": tmp_path / "text"}, CARD, CALIBRATION, licence=licence)
    with pytest.raises(InputError, match=r"brain\.safetensors"):
        load_model(str(tmp_path / "text-model"))


def without(*keys: str) -> Callable[[dict[str, Any]], object]:
    def change(metadata: dict[str, Any]) -> dict[str, Any]:
        part = metadata
        for key in keys[:-1]:
            part = part[key]
        del part[keys[-1]]
        return metadata

    return change


def with_calibration(value: object) -> Callable[[dict[str, Any]], object]:
    return lambda metadata: metadata | {"pseudonormal": metadata["pseudonormal"] | {"calibration": value}}


@pytest.mark.parametrize(
    "change",
    [
        lambda _: [],
        lambda _: {},
        lambda _: None,
        lambda metadata: metadata | {"pseudonormal": 3},
        lambda metadata: metadata | {"pseudonormal": metadata["pseudonormal"] | {"weights": []}},
        lambda metadata: metadata | {"pseudonormal": metadata["pseudonormal"] | {"trained_families": None}},
        lambda metadata: metadata | {"pseudonormal": metadata["pseudonormal"] | {"trained_contrasts": 1}},
        without("pseudonormal"),
        without("pseudonormal", "weights"),
        without("pseudonormal", "weights", "brain"),
        without("pseudonormal", "weights", "restore", "sha256"),
        without("pseudonormal", "calibration"),
        without("pseudonormal", "trained_families"),
        with_calibration({"unknown": 1}),
        with_calibration({"least_ml": "small"}),
        with_calibration([0.5]),
    ],
)
def test_broken_metadata_is_refused(change: Callable[[dict[str, Any]], object], a_bundle: Path) -> None:
    path = a_bundle / "configs" / "metadata.json"
    rewrite(path, json.dumps(change(json.loads(path.read_text(encoding="utf-8")))).encode())
    with pytest.raises(InputError, match=r"metadata\.json") as refusal:
        load_model(str(a_bundle))
    assert "\n" not in str(refusal.value)


def test_a_bundle_of_before_does_not_say_its_contrasts(a_bundle: Path) -> None:
    path = a_bundle / "configs" / "metadata.json"
    rewrite(path, json.dumps(without("pseudonormal", "trained_contrasts")(json.loads(path.read_text()))).encode())
    assert load_model(str(a_bundle)).trained_contrasts == ()


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe\x00"])
def test_metadata_that_is_no_json_is_refused(content: bytes, a_bundle: Path) -> None:
    rewrite(a_bundle / "configs" / "metadata.json", content)
    with pytest.raises(InputError, match=r"metadata\.json"):
        read_metadata(a_bundle)


def test_an_unknown_name_is_refused_and_says_what_is_known(a_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(a_bundle.parent))
    with pytest.raises(InputError, match=r"'no-such-model'.*a-model"):
        find_bundle("no-such-model")


def test_models_are_found_by_name(a_bundle: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert "a-model" not in model_folders()
    monkeypatch.setenv(FOLDER_VARIABLE, str(a_bundle.parent))
    assert find_bundle("a-model") == a_bundle
    imported = tmp_path / "data" / "pseudonormal" / "models" / "imported"
    shutil.copytree(a_bundle, imported, copy_function=os.link)
    assert find_bundle("imported") == imported


def test_half_written_bundles_are_not_found(a_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a_bundle.rename(a_bundle.with_name(".a-model.part"))
    monkeypatch.setenv(FOLDER_VARIABLE, str(a_bundle.parent))
    assert not [name for name in model_folders() if "a-model" in name]
