"""The scans of a run of recipe ``shape``, and that run's networks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from pseudonormal.cases import Case
from pseudonormal.errors import InputError
from pseudonormal.recipes.shape.masks import KnownMasks
from pseudonormal.recipes.shape.material import Framed, ShapeMaterial
from pseudonormal.recipes.shape.networks import shape_networks
from pseudonormal.recipes.shape.options import ShapeOptions
from pseudonormal.recipes.shape.reading import kept_apart, opened
from pseudonormal.training.settings import read_options, read_settings
from pseudonormal.training.streams import Streams

LEAST_FINER = 0.8  # of the frame's voxels: with hardly smaller ones nothing is to be gained


@dataclass(frozen=True)
class Generator:
    """A run of recipe ``shape`` that has ended.

    :param networks: on the device, in evaluation mode.
    """

    options: ShapeOptions
    networks: dict[str, nn.Module]


def read_generator(run: Path, device: str) -> Generator:
    """A run's options and networks.

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


def seeding_material(streams: Streams, options: ShapeOptions, fine_mm: float) -> tuple[ShapeMaterial, list[Case]]:
    """The scans in the frame and, where ``fine_mm`` is smaller than its voxels, in a finer one.

    :returns: the material, which has no auxiliary masks, and the cases: those of ``scans``, then of ``held_out``.
    :raises InputError: a scan cannot be used.
    """
    cases, kept_aside = kept_apart(streams)
    finer = fine_mm <= LEAST_FINER * options.voxel_mm
    coarse: list[Framed] = []
    fine: list[Framed] = []
    for case in (*cases, *kept_aside):
        scan = opened(case, options, streams.foreground_of)
        coarse.append(scan.in_frame(scan.frame))
        if finer:
            fine.append(scan.in_frame(scan.frame.finer(fine_mm)))
    count = len(cases)
    material = ShapeMaterial(coarse[:count], KnownMasks([]), coarse[count:], fine[:count], fine[count:])
    return material, [*cases, *kept_aside]


def taught(cases: Sequence[Case]) -> list[int]:
    """Places of the cases that get a seed mask: those of which nobody knows one."""
    return [place for place, case in enumerate(cases) if case.kind == "unlabelled"]
