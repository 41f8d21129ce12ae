"""From a recipe's endless samples to batches, made while the networks work on the batch before.

Row r of every batch has strands, kept samples and random numbers of its own. Processes that train together share the
rows among them, and so see together what one process alone would see.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

from pseudonormal.training.interrupt import Stopped
from pseudonormal.training.settings import Settings
from pseudonormal.training.strands import LOOK_SECONDS, Sample, Strands, strands
from pseudonormal.training.trainable import Trainable

if TYPE_CHECKING:
    from pseudonormal.training.parallel import Processes

LEAST_KEPT = 4  # samples of each stream before a row is used first
PATIENCE_SECONDS = 1.0  # for a sample that is being made in this process when training ends
# Random numbers are different for each purpose.
_MAKING, _KEEPING, _REDRAWING = 1, 2, 3


@dataclass(frozen=True)
class Batch:
    """This process's rows of a batch.

    :param tensors: (B, 1, *S) each; none when it has no row of this batch.
    :param share: of all processes' rows, in [0, 1].
    """

    tensors: dict[str, Tensor]
    share: float


@contextmanager
def batches(
    recipe: Trainable, settings: Settings, step: int, processes: Processes, stop: threading.Event
) -> Iterator[Iterator[Batch]]:
    """An endless stream of batches; on leaving, what makes them has ended.

    :param step: where training begins; each gets random numbers of its own.
    :param stop: once it is set, the stream raises :class:`Stopped`.
    """
    numbers = range(processes.rank, settings.batch, processes.count)
    each = max(1, -(-settings.workers // len(numbers)))  # strands of a row: every process that makes samples has one
    seeds = [(_MAKING, settings.seed, step, row, strand) for strand in range(each) for row in numbers]
    ended = threading.Event()

    def over() -> bool:
        return stop.is_set() or ended.is_set()

    with strands(recipe.samples, seeds, settings.workers, over) as drawn:
        rows = [
            _Row(_in_turn(drawn, range(place, len(seeds), len(numbers))), recipe.streams, settings, (step, number))
            for place, number in enumerate(numbers)
        ]
        maker = _Maker(rows, recipe, settings, processes)
        ready: queue.Queue[Batch | BaseException] = queue.Queue(1)
        thread = threading.Thread(target=_fill, args=(ready, maker.batches(step), over), daemon=True)
        thread.start()
        try:
            yield _ready(ready, stop)
        finally:
            ended.set()
            drawn.end()
            thread.join(PATIENCE_SECONDS)


class _Row:
    """One row of all batches: keeps recent samples of each stream and uses each about ``reuse`` times."""

    def __init__(
        self, fresh: Iterator[Sample], streams: Sequence[str], settings: Settings, where: tuple[int, int]
    ) -> None:
        """Keep nothing yet.

        :param where: the step where training begins and the row's number.
        """
        self.number = where[1]
        self._fresh = fresh
        self._rng = np.random.default_rng([_KEEPING, settings.seed, *where])
        self._kept: dict[str, list[Sample]] = {stream: [] for stream in streams or ("",)}
        self._size = -(-settings.pool // (settings.batch * len(self._kept)))
        self._reuse = settings.reuse
        self._debt = 0.0

    def leading(self) -> tuple[str | None, float]:
        """The group of a sample that is kept, and its share of a batch's rows."""
        self._fill()
        sample = self._any_of(next(iter(self._kept.values())))
        return sample.get("group"), float(sample.get("share", 1.0))

    def draw(self, group: str | None) -> list[Sample]:
        """A sample of each stream, all of one group."""
        self._fill()
        self._debt += len(self._kept) / self._reuse
        while self._debt >= 1:
            self._draw_fresh()
        return [self._alike(stream, group) for stream in self._kept]

    def _fill(self) -> None:
        while any(len(kept) < min(self._size, LEAST_KEPT) for kept in self._kept.values()):
            self._draw_fresh()

    def _alike(self, stream: str, group: str | None) -> Sample:
        while True:
            alike = [sample for sample in self._kept[stream] if sample.get("group") == group]
            if alike:
                return self._any_of(alike)
            self._draw_fresh()

    def _draw_fresh(self) -> None:
        sample = next(self._fresh)
        stream = str(sample.get("stream", ""))
        if stream not in self._kept:
            raise ValueError(f"a sample of stream '{stream}', which the recipe does not name among its streams")
        kept = self._kept[stream]
        if len(kept) >= self._size:
            kept[int(self._rng.integers(self._size))] = sample
        else:
            kept.append(sample)
        self._debt = max(0.0, self._debt - 1)

    def _any_of(self, samples: list[Sample]) -> Sample:
        return samples[int(self._rng.integers(len(samples)))]


class _Maker:
    """Makes this process's part of each batch."""

    def __init__(self, rows: list[_Row], recipe: Trainable, settings: Settings, processes: Processes) -> None:
        self._rows, self._recipe, self._settings, self._processes = rows, recipe, settings, processes

    def batches(self, step: int) -> Iterator[Batch]:
        while True:
            group, share = self._leading()
            wanted = max(1, round(share * self._settings.batch))
            own = [row for row in self._rows if row.number < wanted]
            yield Batch(self._tensors(own, group, step), len(own) / wanted)
            step += 1

    def _leading(self) -> tuple[str | None, float]:
        """The first row's choice; a process that stops says so, for the others wait for it."""
        try:
            said = self._rows[0].leading() if self._processes.rank == 0 else None
        except Stopped:
            said = None
        agreed = self._processes.agree_on_batch(said)
        if agreed is None:
            raise Stopped
        return agreed

    def _tensors(self, rows: list[_Row], group: str | None, step: int) -> dict[str, Tensor]:
        drawn = [
            [
                self._recipe.redraw(sample, self._random(step, row, place))
                for place, sample in enumerate(row.draw(group))
            ]
            for row in rows
        ]
        # those of the first stream from all rows, then those of the second
        return _stack([sample for same in zip(*drawn, strict=True) for sample in same])

    def _random(self, step: int, row: _Row, place: int) -> Generator:
        return np.random.default_rng([_REDRAWING, self._settings.seed, step, row.number, place])


def _in_turn(drawn: Strands, numbers: range) -> Iterator[Sample]:
    while True:
        for number in numbers:
            yield drawn.take(number)


def _stack(samples: list[Sample]) -> dict[str, Tensor]:
    keys = [key for key, value in samples[0].items() if isinstance(value, np.ndarray)] if samples else []
    return {key: torch.from_numpy(np.stack([s[key] for s in samples])).float()[:, None] for key in keys}


def _fill(ready: queue.Queue[Any], made: Iterator[Batch], over: Callable[[], bool]) -> None:
    """Put batches into the queue, and at last the reason why there are no more."""
    reason: BaseException = Stopped()
    try:
        while not over():
            _put(ready, next(made), over)
    except BaseException as error:  # noqa: BLE001 - whoever waits for the batch is told
        reason = error
    _put(ready, reason, over)


def _put(ready: queue.Queue[Any], item: Batch | BaseException, over: Callable[[], bool]) -> None:
    while not over():
        try:
            return ready.put(item, timeout=LOOK_SECONDS)
        except queue.Full:
            continue
    return None


def _ready(ready: queue.Queue[Any], stop: threading.Event) -> Iterator[Batch]:
    while True:
        if stop.is_set():
            raise Stopped
        try:
            item = ready.get(timeout=LOOK_SECONDS)
        except queue.Empty:
            continue
        if isinstance(item, BaseException):
            raise item
        yield item
