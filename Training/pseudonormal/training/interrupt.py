"""Ctrl-C and the system's polite request to end, as an event that the training looks at."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from torch import Tensor, nn

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopped(Exception):  # noqa: N818 - it is no error
    """Training was asked to stop."""


@contextmanager
def stop_on_interrupt() -> Iterator[threading.Event]:
    """An event that the first Ctrl-C (or SIGTERM) sets; the second acts as it always does.

    Only the main thread of a process can do this.
    """
    event = threading.Event()
    earlier = {number: signal.getsignal(number) for number in _SIGNALS}

    def restore() -> None:
        for number, handler in earlier.items():
            signal.signal(number, handler)

    def ask(_number: int, _frame: FrameType | None) -> None:
        event.set()
        restore()

    for number in _SIGNALS:
        signal.signal(number, ask)
    try:
        yield event
    finally:
        restore()


@contextmanager
def heeding(networks: Iterable[nn.Module], stop: threading.Event) -> Iterator[None]:
    """Within, a pass through the networks ends with :class:`Stopped` soon after the event was set.

    A step on a large patch can take longer on a processor than a user likes to wait. Each layer looks at the event,
    forwards and backwards; what was computed so far is thrown away, and nothing has been changed by it.
    """

    def look(*_: Any) -> None:
        if stop.is_set():
            raise Stopped

    def follow(_: nn.Module, __: Any, output: Any) -> None:
        if isinstance(output, Tensor) and output.requires_grad:
            output.register_hook(look)

    layers = [layer for network in networks for layer in network.modules() if not any(layer.children())]
    handles = [handle for layer in layers for handle in _hooked(layer, look, follow)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _hooked(layer: nn.Module, look: Any, follow: Any) -> list[Any]:
    return [layer.register_forward_pre_hook(look), layer.register_forward_hook(follow)]
