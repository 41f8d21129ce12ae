"""A finished run of recipe ``um``, ready to make scans."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from pseudonormal.errors import InputError
from pseudonormal.recipes.um.material import um_sources
from pseudonormal.recipes.um.options import UmOptions
from pseudonormal.recipes.um.recipe import um_generator
from pseudonormal.recipes.um.synthesizing import UmSynthesizer
from pseudonormal.training.settings import read_options
from pseudonormal.training.streams import Streams

WEIGHTS = "generator.safetensors"


def open_um(run: Path, streams: Streams, device: torch.device, extent: str) -> UmSynthesizer:
    """The generator of a run, and the scans that it is to make others from.

    :param extent: see :class:`UmSynthesizer`.
    :raises InputError: the run has not ended or is damaged, or the scans cannot be used.
    """
    options = read_options(run, UmOptions())
    path = run / WEIGHTS
    generator = um_generator(options)
    try:
        generator.load_state_dict(load_file(path))
    except FileNotFoundError:
        raise InputError(f"{path}: is missing: let the run end, or train it with --resume") from None
    except (SafetensorError, RuntimeError, OSError) as error:
        raise InputError(f"{path}: is damaged, or of other options than the run's: --resume the run") from error
    generator = generator.to(device).eval().requires_grad_(False)
    return UmSynthesizer(generator, options, um_sources(streams, options), extent)
