"""From a recipe's endless samples to batches, made while the network works on the batch before."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset

from pseudonormal.training.settings import Settings

Sample = dict[str, Any]


class Stopped(Exception):  # noqa: N818 - it is no error
    """Training was asked to stop."""


@contextmanager
def batches(
    samples: Callable[[Generator], Iterator[Sample]],
    redraw: Callable[[Sample, Generator], Sample],
    settings: Settings,
    step: int,
    stop: threading.Event,
) -> Iterator[Iterator[dict[str, Tensor]]]:
    """An endless stream of batches; on leaving, the thread that makes them has ended.

    :param step: where training begins; each gets random numbers of its own.
    :param stop: once it is set, the stream raises :class:`Stopped`.
    """
    rng = np.random.default_rng([settings.seed, step])
    loader = DataLoader(
        _Stream(samples, settings.seed + 1000 * step), batch_size=None, num_workers=settings.workers,
        collate_fn=_as_is,  # type: ignore[arg-type]  # without a batch size the stub's list is one sample
        prefetch_factor=8 if settings.workers else None, worker_init_fn=_ignore_interrupts,
    )  # fmt: skip
    ended = threading.Event()
    pool = _Pool(iter(loader), settings.pool, settings.reuse, rng, lambda: stop.is_set() or ended.is_set())
    with ThreadPoolExecutor(1) as worker:
        try:
            yield _ahead(worker, lambda: _stack([redraw(sample, rng) for sample in pool.batch(settings.batch)]))
        finally:
            ended.set()


class _Stream(IterableDataset):
    def __init__(self, samples: Callable[[Generator], Iterator[Sample]], seed: int) -> None:
        self._samples, self._seed = samples, seed

    def __iter__(self) -> Iterator[Sample]:
        info = torch.utils.data.get_worker_info()
        if info:
            torch.set_num_threads(1)
        return self._samples(np.random.default_rng([self._seed, info.id if info else 0]))


def _as_is(sample: Sample) -> Sample:
    return sample


def _ignore_interrupts(_: int) -> None:
    """Ctrl-C reaches every process of a terminal; the main one decides when workers end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


class _Pool:
    """Keeps recent samples and hands out each about ``reuse`` times, in random order."""

    def __init__(
        self, stream: Iterator[Sample], size: int, reuse: int, rng: Generator, stopped: Callable[[], bool]
    ) -> None:
        self._stream, self._size, self._reuse, self._rng, self._stopped = stream, size, reuse, rng, stopped
        self._kept: list[Sample] = []
        self._debt = 0.0

    def batch(self, count: int) -> list[Sample]:
        if self._stopped():
            raise Stopped
        self._debt += count / self._reuse
        while self._debt >= 1 or len(self._kept) < min(self._size, 4 * count):
            fresh = next(self._stream)
            if self._stopped():
                raise Stopped
            if len(self._kept) >= self._size:
                self._kept[int(self._rng.integers(self._size))] = fresh
            else:
                self._kept.append(fresh)
            self._debt = max(0.0, self._debt - 1)
        first = self._kept[int(self._rng.integers(len(self._kept)))]
        alike = [s for s in self._kept if s.get("group") == first.get("group")]
        wanted = int(first.get("batch", count))
        return [alike[int(i)] for i in self._rng.integers(len(alike), size=wanted)]


def _stack(samples: list[Sample]) -> dict[str, Tensor]:
    keys = [key for key, value in samples[0].items() if isinstance(value, np.ndarray)]
    return {key: torch.from_numpy(np.stack([s[key] for s in samples])).float()[:, None] for key in keys}


def _ahead(worker: ThreadPoolExecutor, make: Callable[[], dict[str, Tensor]]) -> Iterator[dict[str, Tensor]]:
    """Make the next batch in a second thread while the network works on this one."""
    coming = worker.submit(make)
    while True:
        batch = coming.result()
        coming = worker.submit(make)
        yield batch
