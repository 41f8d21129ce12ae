"""Being told of a VTK object's events, without keeping anybody alive."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any


class Observation:
    """Calls a method on each event until it is stopped or the method's object is gone.

    VTK itself would hold the method, and with it its object, for as long as the observed one lives; and would still
    call it while both are taken apart at the end.

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

        self._observed = observed
        self._tag: int | None = observed.AddObserver(event, call)

    def stop(self) -> None:
        """Call no more; stopping twice changes nothing."""
        if self._tag is not None:
            self._observed.RemoveObserver(self._tag)
            self._tag = None
