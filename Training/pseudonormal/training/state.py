"""Networks in training with all that is needed to go on after a break."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from pseudonormal.errors import InputError
from pseudonormal.scan.atomic import atomic_file
from pseudonormal.training.checkpoints import Content
from pseudonormal.training.parallel import Processes
from pseudonormal.training.sampling import Batch
from pseudonormal.training.settings import Settings
from pseudonormal.training.trainable import Trainable, Turn

WARM_STEPS = 50
GREATEST_GRADIENT = 1.0


class State:
    """Networks, moving averages of their weights, an optimizer for each player, steps done and minutes spent.

    :ivar networks: by name, those that learn.
    :ivar averages: by name, the moving averages, in evaluation mode and without gradients.
    """

    def __init__(
        self, recipe: Trainable, settings: Settings, processes: Processes, start: Mapping[str, Path] | None = None
    ) -> None:
        """Begin a training on the processes' devices.

        :param start: weights that single networks begin with.
        :raises InputError: weights cannot be read or belong to another network.
        """
        self._recipe, self._settings, self._processes = recipe, settings, processes
        fresh = recipe.networks()
        for name, path in (start or {}).items():
            _begin_with(fresh[name], name, path)
        self.networks = {name: _laid_out(network.to(processes.device)) for name, network in fresh.items()}
        self._free = {
            name: [p for p in network.parameters() if p.requires_grad] for name, network in self.networks.items()
        }
        self.averages = {name: copy.deepcopy(network) for name, network in self.networks.items()}
        for average in self.averages.values():
            average.eval().requires_grad_(False)
        self._optimizers = {
            player: torch.optim.AdamW(
                self._moved(player), lr=settings.learning_rate, betas=(settings.momentum, 0.999), weight_decay=1e-4
            )
            for player in recipe.players
        }
        self.step, self.spent = 0, 0.0

    def _moved(self, player: str) -> list[nn.Parameter]:
        return [parameter for name in self._recipe.players[player] for parameter in self._free[name]]

    def learn(self, batch: Batch, done: float) -> dict[str, Tensor]:
        """One step: a turn of each player.

        :param done: share of the training that is over, in [0, 1); sets the learning rate (cosine, after a warm-up).
        :returns: the losses' terms; the first player's loss is "loss", that of another "<player>_loss".
        """
        device = self._processes.device
        there = {
            key: value.to(device=device, memory_format=_format(value.ndim)) for key, value in batch.tensors.items()
        }
        terms: dict[str, Tensor] = {}
        for place, player in enumerate(self._recipe.players):
            own = self._recipe.progress(player, done)
            if own is None:
                continue
            said = self._turn(Turn(player, done, self.averages), own, there, batch.share)
            terms |= {f"{player}_loss" if place and name == "loss" else name: said[name].detach() for name in said}
        self.step += 1
        self._follow()
        return terms

    def _turn(self, turn: Turn, own: float, tensors: Mapping[str, Tensor], share: float) -> dict[str, Tensor]:
        """A player's turn.

        :param own: share of its own training that is over.
        """
        optimizer, parameters = self._optimizers[turn.player], self._moved(turn.player)
        warm = min(1.0, (self.step + 1) / WARM_STEPS)
        for group in optimizer.param_groups:
            group["lr"] = self._settings.learning_rate * warm * 0.5 * (1 + math.cos(math.pi * own))
        optimizer.zero_grad(set_to_none=True)
        terms: dict[str, Tensor] = {}
        with self._resting(turn.player):
            if tensors:
                with self._processes.autocast():
                    terms = self._recipe.loss(self.networks, tensors, turn)
                (terms["loss"] * share).backward()
        self._processes.add_up_gradients(parameters)
        length = nn.utils.clip_grad_norm_(parameters, GREATEST_GRADIENT)
        if bool(length.isfinite()):  # one that is not would make every weight nan, for good
            optimizer.step()
        return terms

    @contextmanager
    def _resting(self, player: str) -> Iterator[None]:
        """Networks that it is not the turn of pass gradients on, but get none."""
        resting = [
            parameter
            for name, parameters in self._free.items()
            if name not in self._recipe.players[player]
            for parameter in parameters
        ]
        for parameter in resting:
            parameter.requires_grad_(False)
        try:
            yield
        finally:
            for parameter in resting:
                parameter.requires_grad_(True)

    @torch.no_grad()
    def _follow(self) -> None:
        """Move the averages a little towards the networks."""
        keep = min(self._settings.average, (1 + self.step) / (10 + self.step))
        for name, network in self.networks.items():
            average = self.averages[name].state_dict()
            for key, value in network.state_dict().items():
                if value.is_floating_point():
                    average[key].lerp_(value, 1 - keep)
                else:
                    average[key].copy_(value)

    def forget_gradients(self) -> None:
        """Free the memory of a step that could not be ended."""
        for optimizer in self._optimizers.values():
            optimizer.zero_grad(set_to_none=True)

    def content(self) -> Content:
        """All that a checkpoint holds."""
        return {
            "recipe": self._recipe.name,
            "networks": {name: network.state_dict() for name, network in self.networks.items()},
            "averages": {name: average.state_dict() for name, average in self.averages.items()},
            "optimizers": {player: optimizer.state_dict() for player, optimizer in self._optimizers.items()},
            "step": self.step,
            "spent": self.spent,
        }

    def go_on_from(self, content: Content) -> None:
        """Take over a checkpoint's content.

        :raises InputError: it belongs to another recipe, or to one with other options.
        """
        try:
            for name, network in self.networks.items():
                network.load_state_dict(content["networks"][name])
                self.averages[name].load_state_dict(content["averages"][name])
            for player, optimizer in self._optimizers.items():
                optimizer.load_state_dict(content["optimizers"][player])
        except (RuntimeError, KeyError, ValueError) as error:
            raise InputError(
                f"the checkpoint is one of recipe {content['recipe']} with networks of another kind: resume with the "
                "recipe and the options that the run was begun with, or begin anew in another folder"
            ) from error
        self.step, self.spent = int(content["step"]), float(content["spent"])

    def export(self, run: Path) -> None:
        """Write the moving averages as ``run/<network>.safetensors``.

        :raises InputError: the folder cannot be written or the disk is full.
        """
        for name, average in self.averages.items():
            weights = {key: value.cpu().contiguous() for key, value in average.state_dict().items()}
            with atomic_file(run / f"{name}.safetensors") as file:
                file.write(save(weights))


def _begin_with(network: nn.Module, name: str, path: Path) -> None:
    try:
        weights = load_file(path)
    except (OSError, SafetensorError) as error:
        raise InputError(f"{path}: cannot be read as weights that network '{name}' could begin with") from error
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        raise InputError(
            f"{path}: holds the weights of another network than '{name}': begin with those of the same kind"
        ) from error


def _format(dimensions: int) -> torch.memory_format:
    """How convolutions over so many dimensions, batch and channels included, like their tensors best."""
    return {4: torch.channels_last, 5: torch.channels_last_3d}.get(dimensions, torch.contiguous_format)


def _laid_out(network: nn.Module) -> nn.Module:
    for parameter in network.parameters():
        parameter.data = parameter.data.to(memory_format=_format(parameter.ndim))
    return network
