"""The networks of a run: trained unless that was done, gone on with where it was broken off."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import nn

from pseudonormal.training.checkpoints import Checkpoints
from pseudonormal.training.run_weights import with_weights
from pseudonormal.training.settings import Settings
from pseudonormal.training.trainer import Trainable, train

ENDED = "ended"  # a file that says so: weights alone may be those of a run that goes on


def trained(
    recipe: Trainable,
    run: Path,
    settings: Settings,
    *,
    start: Mapping[str, Path] | None = None,
    progress: Callable[[dict[str, float]], None] = lambda _: None,
    warn: Callable[[str], None] = lambda _: None,
    stop: threading.Event | None = None,
) -> dict[str, nn.Module]:
    """The run's networks on ``settings.device``, in evaluation mode and without gradients.

    :param start: weights that single networks begin with.
    :raises InputError: the folder cannot be written, or its weights are damaged.
    :raises Stopped: ``stop`` was set; the next call goes on from there.
    """
    if not (run / ENDED).exists():
        begun = Checkpoints(run).exist()
        train(recipe, run, settings, start=start, resume=begun, progress=progress, warn=warn, stop=stop)
        (run / ENDED).touch()
        for checkpoint in run.glob("checkpoint*.pt"):
            checkpoint.unlink()
    device = torch.device(settings.device)
    return {name: with_weights(network, run, name, device) for name, network in recipe.networks().items()}
