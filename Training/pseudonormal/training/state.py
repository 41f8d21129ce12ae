"""A network in training with all that is needed to go on after a break."""

from __future__ import annotations

import math
import os
import pickle
from pathlib import Path
from typing import Protocol

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from pseudonormal.errors import InputError
from pseudonormal.scan.atomic import unwritable
from pseudonormal.training.settings import Settings

WARM_STEPS = 50
GREATEST_GRADIENT = 1.0


class Loss(Protocol):
    """``loss(network, batch)``: terms to log, of which "loss" is minimised."""

    def __call__(self, network: nn.Module, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """See the protocol."""
        ...


class State:
    """Network, moving average of its weights, optimizer, steps done and minutes spent."""

    def __init__(self, network: nn.Module, settings: Settings) -> None:
        """Begin a training on the settings' device."""
        self._settings = settings
        self._device = torch.device(settings.device)
        network = network.to(self._device)
        self._network = network.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]  # stub lacks it
        self._average = {name: value.detach().clone().float() for name, value in network.state_dict().items()}
        self._optimizer = torch.optim.AdamW(network.parameters(), lr=settings.learning_rate, weight_decay=1e-4)
        self.step, self.spent = 0, 0.0

    def learn(self, loss: Loss, batch: dict[str, Tensor], done: float) -> dict[str, float]:
        """One optimizer step.

        :param batch: each (B, 1, D, H, W).
        :param done: share of the training that is over, in [0, 1); sets the learning rate (cosine, after a warm-up).
        :returns: the loss's terms.
        """
        warm = min(1.0, (self.step + 1) / WARM_STEPS)
        for group in self._optimizer.param_groups:
            group["lr"] = self._settings.learning_rate * warm * 0.5 * (1 + math.cos(math.pi * done))
        there = {k: v.to(device=self._device, memory_format=torch.channels_last_3d) for k, v in batch.items()}
        with torch.autocast(self._device.type, torch.bfloat16):
            terms = loss(self._network, there)
        self._optimizer.zero_grad(set_to_none=True)
        terms["loss"].backward()
        nn.utils.clip_grad_norm_(self._network.parameters(), GREATEST_GRADIENT)
        self._optimizer.step()
        self.step += 1
        keep = min(self._settings.average, (1 + self.step) / (10 + self.step))
        for name, value in self._network.state_dict().items():
            self._average[name].lerp_(value.float(), 1 - keep)
        return {name: float(value.detach()) for name, value in terms.items()}

    def save(self, path: Path) -> None:
        """Write a checkpoint (tensors and numbers only); an earlier one is replaced as a whole.

        :raises InputError: the folder cannot be written or the disk is full.
        """
        part = path.with_suffix(".part")
        content = {
            "network": self._network.state_dict(), "optimizer": self._optimizer.state_dict(), "average": self._average,
            "step": self.step, "spent": self.spent,
        }  # fmt: skip
        try:
            with part.open("wb") as file:
                torch.save(content, file)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise unwritable(path.parent, error) from error

    def load(self, path: Path) -> None:
        """Go on from a checkpoint.

        :raises InputError: it is damaged or belongs to another network.
        """
        try:
            content = torch.load(path, map_location=self._device, weights_only=True)
            self._network.load_state_dict(content["network"])
            self._optimizer.load_state_dict(content["optimizer"])
            self._average, self.step, self.spent = content["average"], int(content["step"]), float(content["spent"])
        except (RuntimeError, pickle.UnpicklingError, EOFError, KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"{path}: is damaged or of another recipe: resume with the recipe it was begun with, or begin anew"
            ) from error

    def export(self, path: Path) -> Path:
        """Write the moving average of the weights as safetensors.

        :raises InputError: the folder cannot be written or the disk is full.
        """
        part = path.with_suffix(".part")
        try:
            save_file({name: value.cpu().contiguous() for name, value in self._average.items()}, part)
            part.replace(path)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise unwritable(path.parent, error) from error
        return path
