"""Signals: who is interested is told, and nobody else needs to know who that is."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

Listener = Callable[..., Any]


def log_failure(error: Exception) -> None:
    """Write a listener's failure, with its traceback, where the host shows its log."""
    logging.getLogger(__name__).error("a listener failed: %s", error, exc_info=error)


class Signal:
    """Something that happens; listeners are called in the order in which they were connected.

    A listener that raises does not keep the others from being told; its failure goes to ``on_error``. Signals are
    emitted on the main thread only.
    """

    def __init__(self, on_error: Callable[[Exception], None] = log_failure) -> None:
        self._listeners: list[Listener] = []
        self._on_error = on_error

    def connect(self, listener: Listener) -> None:
        """Call the listener whenever this happens; connecting it twice changes nothing."""
        if listener not in self._listeners:
            self._listeners.append(listener)

    def disconnect(self, listener: Listener) -> None:
        """Call the listener no more; one that was not connected is no error."""
        if listener in self._listeners:
            self._listeners.remove(listener)

    def emit(self, *values: Any) -> None:
        """Tell all who were connected when this began."""
        for listener in tuple(self._listeners):
            try:
                listener(*values)
            except Exception as error:  # noqa: BLE001 - whatever one listener does, the others are told
                self._on_error(error)
