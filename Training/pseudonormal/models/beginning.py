"""The weights that a training begins with."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pseudonormal.errors import InputError
from pseudonormal.models.bundle import find_bundle


def beginning_weights(source: str, networks: Iterable[str]) -> dict[str, Path]:
    """Weight files for those of the networks that a model, or a run that has ended, has.

    :param source: the folder of a run, or a model (see :func:`pseudonormal.models.bundle.find_bundle`).
    :param networks: names of those that are to be trained.
    :returns: safetensors files by network.
    :raises InputError: the model is not known, or has none of these networks; the run has not ended.
    """
    run = Path(source)
    is_run = (run / "settings.json").is_file()
    folder = run if is_run else find_bundle(source) / "models"
    wanted = list(networks)
    found = {name: folder / f"{name}.safetensors" for name in wanted}
    found = {name: path for name, path in found.items() if path.is_file()}
    if not found:
        why = "let the run end first, or give one of the same recipe" if is_run else "name another model"
        raise InputError(f"--start {source}: has no weights for the network {' or '.join(wanted)}: {why}")
    return found
