"""Trained models as MONAI bundles: find, check, load and write them.

A bundle is a folder ``configs/metadata.json``, ``configs/inference.json``, ``models/*.safetensors``, ``docs/README.md``
(the model card) and ``LICENSE``. Weights are checked against the hashes in the metadata before they are used, and the
networks are built by name from this package: nothing in a bundle is executed or unpickled.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from pseudonormal import __version__
from pseudonormal.errors import InputError
from pseudonormal.models.registry import Registry, data_folder
from pseudonormal.monai_parts import VERSION as MONAI_VERSION
from pseudonormal.networks.restorer import RestorerNetwork
from pseudonormal.recipes.brain import brain_network
from pseudonormal.recipes.lesion import lesion_network
from pseudonormal.shipped import SHIPPED

NETWORKS = {"brain": brain_network, "lesion": lesion_network, "restore": RestorerNetwork}
DEFAULT_MODEL = "brain-mr"
SHIPPED_MODELS = SHIPPED / "models"
FOLDER_VARIABLE = "PSEUDONORMAL_MODELS"  # a further folder of bundles


@dataclass(frozen=True)
class Calibration:
    """Numbers chosen on validation subjects, kept with the weights they belong to.

    :param lesion_threshold: lesion probability from which a voxel is called lesion,
    :param sure_probability: where its region holds a voxel that reaches this.
    :param least_ml: smaller findings are dropped.
    :param guided_reach: how far "guided" may stray from "void", in expected errors of "void", until half of its weight
        is gone.
    :param start_share: share of the classical fill in the smallest lesions.
    :param temperature: what the lesion network's logits are divided by, so that its probabilities can be believed.
    """

    lesion_threshold: float = 0.5
    sure_probability: float = 0.6
    least_ml: float = 0.02
    guided_reach: float = 1.0
    start_share: float = 0.2
    temperature: float = 1.0

    def __post_init__(self) -> None:
        if not self.temperature > 0:
            raise ValueError(f"a temperature of {self.temperature} makes no probability")


@dataclass(frozen=True)
class Model:
    """A loaded bundle.

    :param fingerprint: SHA-256 over the hashes of its weights.
    :param trained_families: lesion families that the restorer has seen in training.
    :param trained_contrasts: words of :mod:`pseudonormal.scan.contrast`; none where the bundle does not say.
    :param hashes: SHA-256 of each network's weights.
    """

    name: str
    version: str
    fingerprint: str
    device: torch.device
    brain: nn.Module
    lesion: nn.Module
    restore: nn.Module
    calibration: Calibration
    trained_families: tuple[str, ...]
    trained_contrasts: tuple[str, ...] = ()
    hashes: Mapping[str, str] = field(default_factory=dict)


def model_folders() -> dict[str, Path]:
    """Every bundle that can be named: those shipped, those imported and those in ``$PSEUDONORMAL_MODELS``.

    Where a version of the registry was promoted, the plain name means that one.

    :raises InputError: the registry is damaged.
    """
    found: dict[str, Path] = {}
    for root in (SHIPPED_MODELS, imported_folder(), Path(os.environ.get(FOLDER_VARIABLE, "")) if _given() else None):
        if root is not None and root.is_dir():
            bundles = [path.parent.parent for path in root.glob("*/configs/metadata.json")]
            found |= {bundle.name: bundle for bundle in bundles if not bundle.name.startswith(".")}  # half-written
    return dict(sorted((found | Registry().promoted()).items()))


def imported_folder() -> Path:
    """Where ``models import`` puts bundles: ``$XDG_DATA_HOME/pseudonormal/models``."""
    return data_folder() / "models"


def _given() -> bool:
    return bool(os.environ.get(FOLDER_VARIABLE))


def find_bundle(name: str) -> Path:
    """The folder of a bundle.

    :param name: a name of :func:`model_folders`, a version of the registry (``NAME:VERSION``) or the path of a bundle.
    :raises InputError: there is none.
    """
    folders = model_folders()
    if name in folders:
        return folders[name]
    version = version_folder(name)
    if version is not None:
        return version
    path = Path(name)
    if (path / "configs" / "metadata.json").is_file():
        return path
    known = ", ".join(folders) or "none"
    raise InputError(f"model '{name}' is not known: name one of {known}, or the folder of a MONAI bundle")


def version_folder(name: str) -> Path | None:
    """The bundle of a version of the registry, promoted or not, retired or not; None when the name means none.

    :param name: ``NAME:VERSION``.
    :raises InputError: the model is registered and has no such version.
    """
    model, colon, version = name.partition(":")
    registry = Registry()
    if not colon or model not in registry.names():
        return None
    return registry.bundle(model, registry.entry(model, version).version)


def read_metadata(bundle: Path) -> dict[str, Any]:
    """The bundle's ``metadata.json``.

    :raises InputError: it is missing or damaged, or not one of this software's bundles.
    """
    path = bundle / "configs" / "metadata.json"
    try:
        metadata = json.loads(path.read_text(encoding="utf-8"))
        own = metadata["pseudonormal"]
        # what cannot be looked up here would fail later, where nobody knows which file is at fault
        _ = fingerprint(own["weights"]), [own["weights"][key] for key in NETWORKS]
        _ = _calibration(own), tuple(own["trained_families"]), tuple(own.get("trained_contrasts", ()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path}: not a PseudoNormal model, or damaged; import it again") from error
    return dict(metadata)


def trained_contrasts(bundle: Path) -> tuple[str, ...]:
    """The contrasts that a bundle was trained for, as in :attr:`Model.trained_contrasts`.

    :raises InputError: it is damaged.
    """
    return tuple(read_metadata(bundle)["pseudonormal"].get("trained_contrasts", ()))


def _calibration(own: Mapping[str, Any]) -> Calibration:
    return Calibration(**{name: float(value) for name, value in own["calibration"].items()})


def load_model(name: str = DEFAULT_MODEL, device: str | torch.device = "cpu") -> Model:
    """Load a bundle and check every weight file against its hash.

    :param name: see :func:`find_bundle`.
    :raises InputError: unknown model, missing or damaged weights.
    """
    bundle = find_bundle(name)
    metadata = read_metadata(bundle)
    own = metadata["pseudonormal"]
    device = torch.device(device)
    networks = {key: _load(bundle, key, own["weights"][key], device) for key in NETWORKS}
    return Model(
        name=bundle.resolve().name,
        version=str(metadata.get("version", "?")),
        fingerprint=fingerprint(own["weights"]),
        hashes={key: own["weights"][key]["sha256"] for key in NETWORKS},
        device=device,
        calibration=_calibration(own),
        trained_families=tuple(own["trained_families"]),
        trained_contrasts=tuple(own.get("trained_contrasts", ())),
        **networks,
    )


def fingerprint(weights: Mapping[str, Mapping[str, str]]) -> str:
    """One hash for all weight files of a bundle."""
    return hashlib.sha256("".join(weights[key]["sha256"] for key in sorted(weights)).encode()).hexdigest()


def _load(bundle: Path, key: str, entry: Mapping[str, str], device: torch.device) -> nn.Module:
    path = bundle / "models" / f"{key}.safetensors"
    if not path.is_file():
        raise InputError(f"{path}: these weights are missing; import the model again")
    if file_hash(path) != entry["sha256"]:
        raise InputError(f"{path}: the weights are damaged (another hash than on record); import the model again")
    network: nn.Module = NETWORKS[key]()
    try:
        network.load_state_dict({name: value.float() for name, value in load_file(path).items()})
    except (RuntimeError, SafetensorError) as error:
        raise InputError(f"{path}: these weights do not fit the network '{key}'; import the model again") from error
    network.to(device)
    return network.to(memory_format=torch.channels_last_3d).eval()  # type: ignore[call-overload]  # torch's stub lacks it


def file_hash(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_bundle(
    folder: Path, weights: Mapping[str, Path], card: Mapping[str, Any], calibration: Calibration, *, licence: Path
) -> None:
    """Make a bundle of trained weights; replaces the folder as a whole.

    :param weights: a safetensors file for each of ``NETWORKS``.
    :param card: "version", "description", "trained_families", "data", the model card's text under "readme"; where it
        is known, "trained_contrasts"; for a model that was made from another one, how under "retrained".
    """
    part = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    for sub in ("configs", "models", "docs"):
        (part / sub).mkdir(parents=True)
    for key in NETWORKS:
        shutil.copyfile(weights[key], part / "models" / f"{key}.safetensors")
    own = {
        "weights": {key: {"sha256": file_hash(part / "models" / f"{key}.safetensors")} for key in NETWORKS},
        "calibration": asdict(calibration),
        "trained_families": list(card["trained_families"]),
        "trained_contrasts": list(card.get("trained_contrasts", ())),
        **({"retrained": card["retrained"]} if "retrained" in card else {}),
    }
    metadata = {
        "version": card["version"],
        "description": card["description"],
        "data_source": card["data"],
        "task": "pseudo-normal synthesis and lesion segmentation, brain MR",
        "monai_version": MONAI_VERSION,
        "pytorch_version": torch.__version__.split("+")[0],
        "required_packages_version": {"pseudonormal": __version__},
        "intended_use": "Research software, not a medical device.",
        "network_data_format": {
            "inputs": {"image": {"type": "image", "num_channels": 1, "spatial_shape": ["*", "*", "*"]}},
            "outputs": {"pred": {"type": "image", "num_channels": 1, "spatial_shape": ["*", "*", "*"]}},
        },
        "pseudonormal": own,
    }
    _write_json(part / "configs" / "metadata.json", metadata)
    targets = {key: f"{factory.__module__}.{factory.__qualname__}" for key, factory in NETWORKS.items()}
    _write_json(part / "configs" / "inference.json", {key: {"_target_": target} for key, target in targets.items()})
    (part / "docs" / "README.md").write_text(str(card["readme"]), encoding="utf-8")
    shutil.copyfile(licence, part / "LICENSE")
    shutil.rmtree(folder, ignore_errors=True)
    part.replace(folder)


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
