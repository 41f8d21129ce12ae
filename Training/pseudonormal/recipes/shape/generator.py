"""A run of recipe ``shape`` that has ended, for those who go on with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from pseudonormal.errors import InputError
from pseudonormal.recipes.shape.networks import shape_networks
from pseudonormal.recipes.shape.options import ShapeOptions
from pseudonormal.training.settings import read_options, read_settings


@dataclass(frozen=True)
class Generator:
    """A run's options and networks, these in evaluation mode and without gradients."""

    options: ShapeOptions
    networks: dict[str, nn.Module]


def read_generator(run: Path, device: str) -> Generator:
    """Load a run.

    :raises InputError: the folder holds no run of this recipe, or one that has not ended.
    """
    name, _ = read_settings(run)
    if name != "shape":
        raise InputError(f"{run}: holds a run of recipe {name}: give one of recipe shape")
    options = read_options(run, ShapeOptions())
    networks = shape_networks(options)
    for network, module in networks.items():
        path = run / f"{network}.safetensors"
        if not path.is_file():
            raise InputError(f"{run}: has not ended: go on with it by pseudonormal train shape ... --resume")
        try:
            module.load_state_dict(load_file(path))
        except (OSError, RuntimeError, SafetensorError) as error:
            raise InputError(f"{path}: is damaged: train recipe shape anew in another folder") from error
        module.to(device).eval().requires_grad_(False)
    return Generator(options, networks)
