"""The brain of a scan by a model's network, or by that of a run of recipe ``brain`` that is not yet in a model."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from pseudonormal.errors import InputError
from pseudonormal.models.bundle import load_model
from pseudonormal.recipes.brain import brain_network
from pseudonormal.recipes.foreground import BrainModel, find_brain


@dataclass(frozen=True)
class BrainNetwork:
    """A brain network on its device."""

    brain: nn.Module
    device: torch.device


@dataclass
class BrainFinder:
    """Finds brains; loads its network when it is first asked.

    :param source: the folder of a finished run of recipe ``brain``, or a model (see ``find_bundle``).
    """

    source: str
    device: torch.device

    def __call__(self, image: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Segment the brain: :func:`pseudonormal.recipes.foreground.find_brain`.

        :param image: (D, H, W) on the model grid (RAS axes, 1 mm), any units.
        :raises InputError: the source cannot be loaded, or there is no brain in the image.
        """
        return find_brain(image, self._network)

    @cached_property
    def _network(self) -> BrainModel:
        weights = Path(self.source) / "brain.safetensors"
        if not weights.is_file():
            if (Path(self.source) / "settings.json").is_file():
                raise InputError(f"{weights}: is missing: give a run of recipe brain that has ended")
            return load_model(self.source, self.device)
        network = brain_network()
        try:
            network.load_state_dict(load_file(weights))
        except (RuntimeError, SafetensorError, OSError) as error:
            raise InputError(f"{weights}: holds no brain network, or is damaged: train recipe brain anew") from error
        network = network.eval().to(self.device)
        network = network.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]  # torch's stub lacks it
        return BrainNetwork(network, self.device)
