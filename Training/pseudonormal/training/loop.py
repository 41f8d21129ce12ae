"""The training loop: samples -> losses -> steps -> moving averages -> checkpoint."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import torch

from pseudonormal.errors import InputError
from pseudonormal.training.checkpoints import Checkpoints
from pseudonormal.training.interrupt import Stopped, heeding
from pseudonormal.training.logbook import Line, Logbook
from pseudonormal.training.parallel import Processes
from pseudonormal.training.sampling import Batch, batches
from pseudonormal.training.settings import Settings, write_settings
from pseudonormal.training.state import State
from pseudonormal.training.trainable import Trainable

LOG_EVERY = 20  # steps
LOG_SECONDS = 10.0  # a line at least so often, where a step takes less
ALMOST = 1 - 1e-9  # share of the training that is over, before its last step


@dataclass(frozen=True)
class Told:
    """Who hears of a training: each line of its log, and warnings of one line."""

    progress: Callable[[Line], None]
    warn: Callable[[str], None]


@dataclass(frozen=True)
class _Orders:
    """What the first process wants of all for one step.

    :param done: share of the training that is over, in [0, 1).
    :param last: the training ends with this step.
    :param check: then ask the recipe how good the averages are.
    :param save: then write a checkpoint.
    :param tell: then write a line of the log.
    """

    done: float
    last: bool
    check: bool
    save: bool
    tell: bool


class Loop:
    """One training, as one of its processes sees it."""

    def __init__(
        self, recipe: Trainable, run: Path, settings: Settings, together: Processes, told: Told, stop: threading.Event
    ) -> None:
        """Prepare; :meth:`begin` comes next."""
        self._recipe, self._run, self._settings, self._together = recipe, run, settings, together
        self._told, self._stop = told, stop
        self._first = together.rank == 0
        self._checkpoints = Checkpoints(run)
        self._remarked: tuple[str, ...] = ()

    def begin(self, start: Mapping[str, Path], resume: bool) -> None:
        """Make the networks, or take them and all else from the run's checkpoint.

        :raises InputError: see :func:`pseudonormal.training.trainer.train`.
        """
        if self._first and not resume and self._checkpoints.exist():
            raise InputError(f"{self._run}: holds a run already; give --resume to continue it or another folder")
        content = self._together.gather(self._checkpoints.load(self._told.warn) if self._first else None)[0]
        torch.manual_seed(self._settings.seed)
        self._state = State(self._recipe, self._settings, self._together, {} if content else start)
        if content:
            self._state.go_on_from(content)
        if self._first:
            self._write_settings()
            self._remark()
        self._log = Logbook(self._run / "log.jsonl", self._state.step, self._together)
        self._since = time.monotonic() - 60 * self._state.spent
        self._told_at = self._saved_at = time.monotonic()
        self._checked = self._checks(self._share_over())

    def _write_settings(self) -> None:
        write_settings(self._run, self._recipe.name, self._settings, self._recipe.options)

    def learn_to_the_end(self) -> dict[str, Path]:
        """Train until the budget is spent, and write the weights.

        :returns: the weights' paths by network.
        """
        ended = self._state.step >= self._settings.steps or self._state.spent >= self._settings.minutes
        while not ended:
            try:
                ended = self._learn()
            except torch.OutOfMemoryError as error:
                self._shrink(error)
        if self._first:
            self._state.export(self._run)
        return {name: self._run / f"{name}.safetensors" for name in self._state.networks}

    def _learn(self) -> bool:
        """Step after step.

        :returns: True, when the budget is spent.
        :raises Stopped: somebody asked for it; the state is saved.
        """
        with (
            self._heeding(),
            batches(self._recipe, self._settings, self._state.step, self._together, self._stop) as stream,
        ):
            try:
                while True:
                    batch, orders = self._next(stream)
                    self._log.add(self._state.learn(batch, orders.done), batch.share)
                    self._after_step(orders)
                    if orders.last:
                        return True
            except Stopped:
                self._tell()
                self._save()
                raise

    def _heeding(self) -> AbstractContextManager[None]:
        """End within a step where it is slow, and where no other process waits for it."""
        slow = self._together.count == 1 and self._together.device.type == "cpu"
        learning = [*self._state.networks.values(), *self._state.averages.values()]
        return heeding(learning if slow else [], self._stop)

    def _next(self, stream: Iterator[Batch]) -> tuple[Batch, _Orders]:
        """This process's part of the next batch, and what all are to do with it."""
        try:
            batch = next(stream)
        except Stopped:
            batch = None
        said = self._together.gather((batch is None, self._orders()))
        if batch is None or any(stopped for stopped, _ in said):
            raise Stopped
        return batch, said[0][1]

    def _orders(self) -> _Orders:
        settings, step = self._settings, self._state.step + 1
        over = self._share_over()
        last = step >= settings.steps or over >= 1
        check = settings.checks > 0 and (last or self._checks(max(over, step / settings.steps)) > self._checked)
        now = time.monotonic()
        due = now - self._saved_at >= settings.checkpoint_seconds
        save = due or last or step % settings.checkpoint_every == 0
        tell = save or check or self._log.steps + 1 >= LOG_EVERY or now - self._told_at >= LOG_SECONDS
        return _Orders(min(over, ALMOST), last, check, save, tell)

    def _share_over(self) -> float:
        self._state.spent = (time.monotonic() - self._since) / 60
        return max(self._state.step / self._settings.steps, self._state.spent / self._settings.minutes)

    def _checks(self, over: float) -> int:
        """How many checks are due when a share of the training is over."""
        return int(over * self._settings.checks + 1e-9)

    def _after_step(self, orders: _Orders) -> None:
        found = self._check() if orders.check and self._first else {}
        if orders.tell:
            self._tell(found)
        if orders.save or found:  # what was found may have taken long
            self._save()

    def _check(self) -> Line:
        """What the recipe says of the averages; nothing when it was interrupted."""
        averages = self._state.averages
        try:
            with torch.no_grad(), heeding(averages.values(), self._stop):
                said = self._recipe.check(averages, self._run)
        except Stopped:
            return {}
        self._remark()
        self._checked = self._checks(self._share_over())
        return {f"check_{name}": float(value) for name, value in said.items()}

    def _remark(self) -> None:
        """Say what the recipe remarks, once for as long as it goes on remarking it."""
        for line in self._recipe.remarks:
            if line not in self._remarked:
                self._told.warn(f"{self._run}: {line}")
        self._remarked = self._recipe.remarks

    def _tell(self, found: Mapping[str, float] = MappingProxyType({})) -> None:
        """A line of the log, of what was learnt since the one before."""
        steps, means = self._log.steps, self._log.means()
        self._told_at = time.monotonic()
        if self._first and steps:
            done = min(1.0, self._share_over())
            spent = self._state.spent
            line: Line = {
                "step": self._state.step,
                "minutes": round(spent, 2),
                "done": done,
                "minutes_left": round(spent * (1 / done - 1), 2),
                **means,
                **found,
            }
            self._log.write(line)
            self._told.progress(line)

    def _save(self) -> None:
        """A checkpoint, always after a line of the log: what is lost with the process is then lost from both."""
        if self._first:
            self._checkpoints.save(self._state.content())
        self._saved_at = time.monotonic()

    def _shrink(self, error: torch.OutOfMemoryError) -> None:
        """Go on with half the batch where that is wished, from where we are.

        :raises InputError: it is not wished, or cannot be done; the state is saved.
        """
        self._state.forget_gradients()
        if self._together.device.type == "cuda":
            torch.cuda.empty_cache()
        alone = self._together.count == 1  # the others wait for this one, within a step
        if alone:
            self._tell()
            self._save()
        batch = self._settings.batch
        if batch == 1:
            raise InputError(
                f"{self._run}: not enough memory even for one sample: choose a smaller patch where the recipe has "
                "one as a setting, or another --device, and go on with --resume"
            ) from error
        if not (alone and self._settings.shrink):
            raise InputError(
                f"{self._run}: not enough memory for batch={batch}: go on with --resume --set batch={batch // 2}, "
                "or with --resume --set shrink=1, which does so whenever it is needed"
            ) from error
        self._settings = replace(self._settings, batch=batch // 2)
        self._write_settings()
        self._told.warn(f"{self._run}: not enough memory for batch={batch}; going on with batch={batch // 2}")
