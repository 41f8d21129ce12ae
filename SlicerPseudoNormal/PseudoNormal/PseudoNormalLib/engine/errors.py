"""What can go wrong with the engine; ``str(error)`` is one line for people."""

from __future__ import annotations


class EngineError(Exception):
    """The engine did not do what was asked."""


class Unreachable(EngineError):  # noqa: N818 - read as what the engine is
    """No engine answers, or it stopped answering."""


class Cancelled(EngineError):  # noqa: N818
    """The user cancelled."""


class Refused(EngineError):  # noqa: N818
    """The engine answered, and said no.

    :param status: of HTTP.
    :param line: the engine's own words.
    """

    def __init__(self, status: int, line: str) -> None:
        super().__init__(line)
        self.status = status
        self.line = line


class Unauthorised(Refused):
    """The key is wrong."""


class Unknown(Refused):
    """There is no such thing (any more)."""


class Conflict(Refused):
    """Somebody else was faster: the case is leased, or has a newer revision."""


class LeaseLost(Refused):
    """The lease on the case has expired."""


class TooLarge(Refused):
    """More than the engine takes."""


class Busy(Refused):
    """The engine's queue is full."""


OF_STATUS: dict[int, type[Refused]] = {
    401: Unauthorised,
    404: Unknown,
    409: Conflict,
    410: LeaseLost,
    413: TooLarge,
    429: Busy,
}
