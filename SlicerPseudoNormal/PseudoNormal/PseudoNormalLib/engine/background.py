"""Work on threads whose outcome arrives on the main thread."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from PseudoNormalLib.signals import log_failure
from PseudoNormalLib.ticks import Stop, Tick

Outcome = TypeVar("Outcome")
EVERY_S, EVERY_S_WHEN_WAITING = 0.02, 0.1
# Slicer's event loop holds Python's lock between two callbacks: threads of ours run only while a callback sleeps.
YIELD_S = 0.002


class Call:
    """Work that was begun."""

    def __init__(self) -> None:
        self._cancelled = threading.Event()

    @property
    def cancelled(self) -> bool:
        """Whether nobody wants the outcome any more."""
        return self._cancelled.is_set()

    def cancel(self) -> None:
        """Have nobody told of the outcome; long work looks at :attr:`cancelled` and ends early."""
        self._cancelled.set()

    def wait(self, seconds: float) -> bool:
        """For the working thread: sleep, but no longer than until it is cancelled; whether it is."""
        return self._cancelled.wait(seconds)


class Background:
    """Runs functions on threads of their own and calls back on the main thread, from the host's tick.

    The functions touch neither scene nor widgets, and print nothing.
    """

    def __init__(self, tick: Tick) -> None:
        self._tick = tick
        self._arrived: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._running = {True: 0, False: 0}  # by whether they mostly wait
        self._stop: Stop | None = None
        self._every = 0.0

    def run(
        self,
        work: Callable[[Call], Outcome],
        done: Callable[[Outcome], Any] | None = None,
        failed: Callable[[Exception], Any] | None = None,
        *,
        waits: bool = False,
    ) -> Call:
        """Begin work; either ``done`` or ``failed`` is called on the main thread, neither once it is cancelled.

        :param work: called on a thread of its own.
        :param waits: it does little but wait, maybe for hours: a slower tick will do for it.
        """
        call = Call()

        def finish(tell: Callable[[Any], Any] | None, outcome: Any) -> None:
            self._running[waits] -= 1
            if tell is not None and not call.cancelled:
                tell(outcome)

        def main() -> None:
            try:
                outcome = work(call)
            except Exception as error:  # noqa: BLE001 - whatever happened, whoever asked is told
                failure = error
                self.post(lambda: finish(failed or log_failure, failure))
            else:
                self.post(lambda: finish(done, outcome))

        self._running[waits] += 1
        self._adjust()
        # Daemons: a request that hangs does not keep the application from ending.
        threading.Thread(target=main, daemon=True, name="PseudoNormal").start()
        return call

    def post(self, deliver: Callable[[], None]) -> None:
        """From any thread that was begun here: have something called on the main thread."""
        self._arrived.put(deliver)

    def deliver(self) -> None:
        """On the main thread: call back whatever has arrived."""
        time.sleep(YIELD_S)
        while True:
            try:
                deliver = self._arrived.get_nowait()
            except queue.Empty:
                break
            try:
                deliver()
            except Exception as error:  # noqa: BLE001 - one listener's failure holds nobody else up
                log_failure(error)
        self._adjust()

    def _adjust(self) -> None:
        """Tick as often as what is running needs, and not at all without any."""
        every = EVERY_S if self._running[False] else EVERY_S_WHEN_WAITING if self._running[True] else 0.0
        if every == self._every:
            return
        if self._stop is not None:
            self._stop()
        self._every = every
        self._stop = self._tick(self.deliver, every) if every else None
