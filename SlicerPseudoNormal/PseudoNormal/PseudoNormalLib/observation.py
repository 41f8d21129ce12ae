"""Being told of a VTK object's events, without keeping anybody alive."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any


class Observation:
    """Calls a method on each event until it is stopped or the method's object is gone.

    VTK itself would hold the method, and with it its object, for as long as the observed one lives. Here it is the
    other way round: the observed object lives until nobody observes it, and the observer goes before its object is
    taken apart. A scene that dies among other garbage would else call observers that are half gone, and crash.

    :param observed: any vtkObject.
    :param event: of VTK or MRML, by number or name.
    :param method: a bound method, called with the observed object and the event's name.
    """

    def __init__(self, observed: Any, event: int | str, method: Callable[[Any, str], None]) -> None:
        weak = weakref.WeakMethod(method)

        def call(caller: Any, name: str) -> None:
            alive = weak()
            if alive is not None:
                alive(caller, name)

        tag = observed.AddObserver(event, call)
        self._end = weakref.finalize(method.__self__, observed.RemoveObserver, tag)  # type: ignore[attr-defined]

    def stop(self) -> None:
        """Call no more; stopping twice changes nothing."""
        self._end()
