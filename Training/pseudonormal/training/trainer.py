"""Train a recipe's networks. Knows nothing of lesions."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from pathlib import Path

from pseudonormal.training.interrupt import Stopped
from pseudonormal.training.settings import Settings
from pseudonormal.training.trainable import Sample, Trainable, Turn

__all__ = ["Sample", "Settings", "Stopped", "Trainable", "Turn", "train"]


def train(
    recipe: Trainable,
    run: Path,
    settings: Settings,
    *,
    start: Mapping[str, Path] | None = None,
    resume: bool = False,
    progress: Callable[[dict[str, float]], None] = lambda _: None,
    warn: Callable[[str], None] = lambda _: None,
    stop: threading.Event | None = None,
) -> dict[str, Path]:
    """Train a recipe's networks, together with the other processes that ``torchrun`` started, if it did.

    The first of them writes ``run/settings.json``, ``run/log.jsonl`` (a line every few steps: "step", "minutes",
    "done", "minutes_left", the losses' terms, and what checks say as "check_..."), ``run/checkpoint.pt`` with the one
    before it, and at the end ``run/<network>.safetensors`` with the moving averages of the weights. A run whose process
    was killed goes on from its last checkpoint; time spent before counts.

    :param start: safetensors files that single networks begin with; a run that goes on does so from its checkpoint.
    :param progress: gets each line of the log, in the first process.
    :param warn: told in one line of what is not as it should be but does not hinder.
    :param stop: once it is set, the state is saved and the training ends.
    :returns: the weights' paths by network.
    :raises InputError: the run exists already and ``resume`` is off; another process is training in it; its checkpoint
        does not fit; it cannot be written; the GPU's memory does not suffice (the state is saved).
    :raises Stopped: ``stop`` was set; the state is saved.
    """
    # what brings the processes together takes seconds to load, and commands that only name a recipe do not need it
    from pseudonormal.training.holding import held
    from pseudonormal.training.loop import Loop, Told
    from pseudonormal.training.parallel import processes

    with processes(settings) as together, held(run) if together.rank == 0 else nullcontext():
        loop = Loop(recipe, run, settings, together, Told(progress, warn), stop or threading.Event())
        loop.begin(start or {}, resume)
        return loop.learn_to_the_end()
