"""A network of a run that has ended."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from pseudonormal.errors import InputError


def with_weights(network: nn.Module, run: Path, name: str, device: torch.device) -> nn.Module:
    """A fresh network with the weights of a run's, on its device, in evaluation mode and without gradients.

    :param name: of the network in the run.
    :raises InputError: the run has not ended, or is damaged.
    """
    path = run / f"{name}.safetensors"
    try:
        network.load_state_dict(load_file(path))
    except FileNotFoundError:
        raise InputError(f"{path}: is missing: let the run end, or train it with --resume") from None
    except (SafetensorError, RuntimeError, OSError) as error:
        raise InputError(f"{path}: is damaged, or of other options than the run's: --resume the run") from error
    return network.to(device).eval().requires_grad_(False)
