"""The training loop: samples -> loss -> step -> moving average -> checkpoint. Knows nothing of lesions."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import torch
from numpy.random import Generator
from torch import Tensor, nn

from pseudonormal.errors import InputError
from pseudonormal.scan.atomic import unwritable
from pseudonormal.training.sampling import Sample, Stopped, batches
from pseudonormal.training.settings import Settings, write_settings
from pseudonormal.training.state import State

__all__ = ["Settings", "Stopped", "Trainable", "train"]

LOG_EVERY = 20  # steps


class Trainable(Protocol):
    """What a recipe gives to the trainer: a network, samples and a loss."""

    name: str

    def network(self) -> nn.Module:
        """A fresh network."""
        ...

    def samples(self, rng: Generator) -> Iterator[Sample]:
        """An endless stream of samples: arrays of one shape within a batch group (key "group", optional)."""
        ...

    def redraw(self, sample: Sample, rng: Generator) -> Sample:
        """Cheap augmentation at each use of a sample: flips, intensities, appearance."""
        ...

    def loss(self, network: nn.Module, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Terms to log; "loss" is the one that is minimised."""
        ...


def train(
    recipe: Trainable,
    run: Path,
    settings: Settings,
    *,
    resume: bool = False,
    progress: Callable[[dict[str, float]], None] = lambda _: None,
    stop: threading.Event | None = None,
) -> Path:
    """Train a recipe's network.

    Writes ``run/log.jsonl`` (one line per 20 steps), ``run/checkpoint.pt`` (tensors only, atomically replaced) and at
    the end ``run/<recipe>.safetensors`` with the moving average of the weights. A run whose process was killed goes on
    from its last checkpoint; time spent before counts.

    :param progress: gets each line of the log, and "done": the share of the training that is over.
    :param stop: once it is set, a checkpoint is written and the training ends.
    :returns: the weights' path.
    :raises InputError: the run exists already and ``resume`` is off; its checkpoint does not fit; it cannot be written.
    :raises Stopped: ``stop`` was set; the state is saved.
    """
    stop = stop or threading.Event()
    checkpoint = run / "checkpoint.pt"
    if checkpoint.exists() and not resume:
        raise InputError(f"{run}: holds a run already; give --resume to continue it or another folder")
    torch.manual_seed(settings.seed)
    state = State(recipe.network(), settings)
    if checkpoint.exists():
        state.load(checkpoint)
    try:
        run.mkdir(parents=True, exist_ok=True)
        write_settings(run, recipe.name, settings)
        log = _Log(run / "log.jsonl", state.step)
    except OSError as error:
        raise unwritable(run, error) from error
    since = time.monotonic() - 60 * state.spent
    with batches(recipe.samples, recipe.redraw, settings, state.step, stop) as stream:
        while state.step < settings.steps:
            state.spent = (time.monotonic() - since) / 60
            done = max(state.step / settings.steps, state.spent / settings.minutes)
            if done >= 1:
                break
            try:
                batch = next(stream)
            except Stopped:
                state.save(checkpoint)
                raise
            log.add(state.learn(recipe.loss, batch, done))
            if state.step % LOG_EVERY == 0:
                progress(log.write(state.step, state.spent) | {"done": done})
            if state.step % settings.checkpoint_every == 0:
                state.save(checkpoint)
    state.save(checkpoint)
    return state.export(run / f"{recipe.name}.safetensors")


class _Log:
    """``log.jsonl``: the mean of each term since the line before."""

    def __init__(self, path: Path, step: int) -> None:
        """Go on after ``step``: lines beyond it tell of steps that were lost with their process."""
        self._path = path
        self._sums: Counter[str] = Counter()
        self._counted = 0
        kept = (
            [line for line in path.read_text(encoding="utf-8").splitlines() if _step(line) <= step]
            if path.exists()
            else []
        )
        part = path.with_suffix(".part")
        part.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")
        part.replace(path)

    def add(self, terms: dict[str, float]) -> None:
        self._sums.update(terms)  # a Counter adds any numbers
        self._counted += 1

    def write(self, step: int, minutes: float) -> dict[str, float]:
        means = {name: total / self._counted for name, total in self._sums.items()}
        line: dict[str, float] = {"step": step, "minutes": round(minutes, 2), **means}
        with self._path.open("a", encoding="utf-8") as log:
            log.write(json.dumps(line) + "\n")
        self._sums.clear()
        self._counted = 0
        return line


def _step(line: str) -> float:
    """The step of a line; infinite for one that was cut short."""
    try:
        return float(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return float("inf")
