"""A recipe's samples as strands that can be drawn from one by one, made in processes of their own.

A strand is one endless iterator of samples with random numbers of its own. Which samples a training sees is a matter of
the strands and their seeds alone, not of how fast they are made.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures import TimeoutError as Later
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from multiprocessing import connection
from typing import Any

import numpy as np
from numpy.random import Generator

from pseudonormal.errors import InputError
from pseudonormal.training.interrupt import Stopped

Sample = dict[str, Any]
Samples = Callable[[Generator], Iterator[Sample]]
Seed = Sequence[int]

AHEAD = 8  # samples that a process makes before they are asked for
LOOK_SECONDS = 0.2  # how often somebody who waits looks whether to stop


class Strands:
    """All strands of this process.

    ``strands.take(number)`` is the next sample of a strand; it raises :class:`Stopped` as soon as ``stopped`` says so,
    ``InputError`` where the recipe does or a process that makes samples has died.
    """

    def __init__(self, samples: Samples, seeds: Sequence[Seed], workers: int, stopped: Callable[[], bool]) -> None:
        self._stopped = stopped
        self._workers = [_Worker(samples, seeds) for _ in range(min(workers, len(seeds)))]
        self._own = [] if self._workers else _begun(samples, seeds)
        self._coming: list[deque[Future[Sample]]] = [deque() for _ in seeds]
        for _ in range(-(-AHEAD * len(self._workers) // len(seeds))):
            for number in range(len(seeds)):
                self._ask(number)

    def take(self, number: int) -> Sample:
        """The next sample of a strand."""
        if self._stopped():
            raise Stopped
        if not self._workers:
            return next(self._own[number])
        self._ask(number)
        coming = self._coming[number].popleft()
        while True:
            try:
                return coming.result(timeout=LOOK_SECONDS)
            except Later:
                if self._stopped():
                    raise Stopped from None
            except BrokenProcessPool:
                if self._stopped():
                    raise Stopped from None
                raise InputError(
                    "a process that makes samples has ended, most likely for lack of memory: give a smaller "
                    "--set workers=N, or close other programs, and go on with --resume"
                ) from None

    def _ask(self, number: int) -> None:
        worker = self._workers[number % len(self._workers)]
        self._coming[number].append(worker.ask(number))

    def end(self) -> None:
        """End the processes at once, whatever they are doing."""
        for worker in self._workers:
            worker.end()


@contextmanager
def strands(samples: Samples, seeds: Sequence[Seed], workers: int, stopped: Callable[[], bool]) -> Iterator[Strands]:
    """Strands whose processes end with the block."""
    made = Strands(samples, seeds, workers, stopped)
    try:
        yield made
    finally:
        made.end()


class _Worker:
    """One process that makes samples of its strands, one after the other as they are asked for."""

    def __init__(self, samples: Samples, seeds: Sequence[Seed]) -> None:
        self._executor = ProcessPoolExecutor(1, initializer=_begin, initargs=(samples, seeds))
        self._process = self._executor.submit(os.getpid)

    def ask(self, number: int) -> Future[Sample]:
        return self._executor.submit(_next, number)

    def end(self) -> None:
        with suppress(Later, BrokenProcessPool, ProcessLookupError):  # not begun yet, or gone already
            os.kill(self._process.result(timeout=1), signal.SIGKILL)
        self._executor.shutdown(wait=False, cancel_futures=True)


_strands: list[Iterator[Sample]] = []  # of a process that makes samples


def _begin(samples: Samples, seeds: Sequence[Seed]) -> None:
    work_for_parent()
    _strands.extend(_begun(samples, seeds))


def work_for_parent(also: Sequence[connection.Connection] = ()) -> None:
    """Make this process one that another has started to share its work: one thread, no signals, ended with it.

    :param also: it ends at once, too, when the other end of one of these is closed.
    """
    import torch

    # Ctrl-C reaches every process of a terminal, and a service's end every process of it: the main one decides.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    torch.set_num_threads(1)
    threading.Thread(target=_end_with_parent, args=(also,), daemon=True).start()


def _end_with_parent(also: Sequence[connection.Connection]) -> None:
    """A main process that was killed cannot tell those that work for it."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel, *also])
        os._exit(1)


def _next(number: int) -> Sample:
    return next(_strands[number])


def _begun(samples: Samples, seeds: Sequence[Seed]) -> list[Iterator[Sample]]:
    return [samples(np.random.default_rng(list(seed))) for seed in seeds]
