"""What the worker can offer: models, recipes and devices."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import torch

from pseudonormal.errors import InputError
from pseudonormal.models.bundle import model_folders, read_metadata, version_folder
from pseudonormal.models.choosing import fitting_bundle
from pseudonormal.recipes.classical import CLASSICAL
from pseudonormal.recipes.training import RECIPES
from pseudonormal.scan.contrast import Contrast

_LOG = logging.getLogger("pseudonormal.worker")


def devices() -> list[str]:
    """The names of all processors that a model can run on."""
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return ["cpu", *(f"cuda:{number}" for number in range(count))]


def models(default: str) -> list[dict[str, Any]]:
    """What clients are told of each model; damaged ones are left out.

    :param default: name or folder of the default.
    """
    entries = []
    for name, folder in _folders(default).items():
        try:
            metadata = read_metadata(folder)
        except InputError as error:
            _LOG.error("%s", error)
            continue
        entries.append(
            {
                "name": name,
                "version": str(metadata.get("version", "?")),
                "description": str(metadata.get("description", "")),
                "default": name == _name(default),
                "trained_families": list(metadata["pseudonormal"]["trained_families"]),
                "trained_contrasts": list(metadata["pseudonormal"].get("trained_contrasts", ())),
                "licence": _licence(folder),
            }
        )
    return entries


def recipes() -> list[dict[str, Any]]:
    """What clients are told of each recipe; those that a training from the case store can name come first."""
    learnt = {name: recipe.explanation for name, recipe in RECIPES.items()}
    plain = {name: f"A classical fill, nothing is learnt: {recipe.description}." for name, recipe in CLASSICAL.items()}
    trainable = [name for name, recipe in RECIPES.items() if recipe.from_store]
    entries = [
        {
            "name": name,
            "explanation": text,
            "trainable": name in trainable,
            "makes": RECIPES[name].from_store if name in trainable else None,
            "default": name in trainable[:1],
        }
        for name, text in (learnt | plain).items()
    ]
    return sorted(entries, key=lambda entry: not entry["trainable"])


def folder_of(name: str | None, default: str, contrast: Contrast | None) -> Path:
    """The bundle of a model. Clients choose among names; a folder can be chosen by the operator alone.

    :param name: as in :func:`models`, or a version of the registry (``NAME:VERSION``); None: the default, or one that
        fits the contrast better.
    :param contrast: the scan's.
    :raises InputError: there is none of that name.
    """
    if name is None:
        return fitting_bundle(default, contrast)
    version = version_folder(name)
    if version is not None:
        return version
    folders = _folders(default)
    if name not in folders:
        raise InputError(f"the engine has no such model; name one of {', '.join(folders) or 'none'}")
    return folders[name]


def _folders(default: str) -> dict[str, Path]:
    folders = model_folders()
    if default not in folders and (Path(default) / "configs" / "metadata.json").is_file():
        folders[_name(default)] = Path(default)
    return folders


def _name(default: str) -> str:
    return Path(default).resolve().name


def _licence(folder: Path) -> str:
    """The first line of the licence, which is its name."""
    try:
        lines = (folder / "LICENSE").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return next((line.strip() for line in lines if line.strip()), "")
