"""What the worker can offer: models and devices."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import torch

from pseudonormal.errors import InputError
from pseudonormal.models.bundle import find_bundle, model_folders, read_metadata

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
                "licence": _licence(folder),
            }
        )
    return entries


def folder_of(name: str | None, default: str) -> Path:
    """The bundle of a model. Clients choose among names; a folder can be chosen by the operator alone.

    :param name: as in :func:`models`; None: the default.
    :raises InputError: there is none of that name.
    """
    if name is None:
        return find_bundle(default)
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
