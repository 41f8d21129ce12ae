"""How a retraining began, kept in its folder so that it can go on after whatever ended it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pseudonormal.errors import InputError
from pseudonormal.models.bundle import find_bundle, load_model
from pseudonormal.models.registry import Registry, fingerprint_of
from pseudonormal.models.versions import Entry
from pseudonormal.retraining.material import FOLDER, Material, gather, read_material
from pseudonormal.scan.atomic import atomic_file, unwritable
from pseudonormal.store.store import Store
from pseudonormal.training.settings import Settings, write_settings

_FILE = "retrain.json"


@dataclass(frozen=True)
class Begun:
    """What a run goes on with.

    :param name: of the model.
    :param parent: the version that it is trained from.
    :param version: the one reserved for the candidate.
    :param bundle: the parent's, in the registry: it stays although others are promoted meanwhile.
    """

    name: str
    parent: str
    version: str
    recipe: str
    bundle: Path
    material: Material


def begin(
    store: Store,
    run: Path,
    parent: str,
    registry: Registry,
    *,
    contrast: str,
    trained_by: tuple[str, Settings, Any],
) -> Begun:
    """List the material, register the parent, reserve a version and note all of it in the run's folder.

    :param trained_by: recipe, settings and the recipe's options; noted too, so that the run can go on from the start.

    :raises InputError: the folder holds a run already or cannot be written, the model is not known, or there is
        nothing to learn from.
    """
    if (run / _FILE).exists():
        raise InputError(f"{run}: holds a run already; give --resume to continue it or another folder")
    bundle = find_bundle(parent)
    entry = _registered(bundle, registry)
    material = gather(store, run / FOLDER, contrast=contrast)
    version = registry.reserve(entry.name, entry.version)
    noted = {"name": entry.name, "parent": entry.version, "version": version, "recipe": trained_by[0]}
    write_settings(run, *trained_by)
    try:
        with atomic_file(run / _FILE) as stream:
            stream.write((json.dumps(noted, indent=1) + "\n").encode())
    except OSError as error:
        raise unwritable(run, error) from error
    return Begun(**noted, bundle=registry.bundle(entry.name, entry.version), material=material)


def go_on(run: Path, registry: Registry) -> Begun:
    """What :func:`begin` noted.

    :raises InputError: the folder holds no retraining or a damaged one, or its parent is not registered here.
    """
    path = run / _FILE
    try:
        noted = json.loads(path.read_text(encoding="utf-8"))
        name, parent = str(noted["name"]), str(noted["parent"])
        begun = Begun(
            name,
            parent,
            str(noted["version"]),
            str(noted["recipe"]),
            registry.bundle(name, parent),
            read_material(run / FOLDER),
        )
    except FileNotFoundError:
        raise InputError(
            f"{run}: holds no retraining that could be resumed: leave --resume away to begin one"
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: is damaged: begin the run anew in another folder") from error
    registry.entry(name, parent)
    return begun


def _registered(bundle: Path, registry: Registry) -> Entry:
    """The version of a bundle; one that the registry does not know yet is taken in, once its weights are checked."""
    model, fingerprint = load_model(str(bundle)), fingerprint_of(bundle)
    known = registry.entries(model.name)
    found = next((entry for entry in known if entry.fingerprint == fingerprint), None)
    if found is not None:
        return found
    taken = any(entry.version == model.version for entry in known)
    version = f"{model.version}-{fingerprint[:8]}" if taken else model.version
    return registry.register(bundle, Entry(model.name, version, None))
