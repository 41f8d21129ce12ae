"""What the store refuses, each in one line: the server answers 404, 409 or 410 with it."""

from __future__ import annotations

from pseudonormal.errors import InputError


class UnknownCase(InputError):  # noqa: N818 - reads as what happened
    """There is no such case, or the case has no such revision or volume."""


class Conflict(InputError):  # noqa: N818 - reads as what happened
    """Someone else added a revision since the one that this one was made from."""


class Leased(InputError):  # noqa: N818 - reads as what happened
    """Another annotator holds the case, or another window of the same one."""


class LeaseExpired(InputError):  # noqa: N818 - reads as what happened
    """The lease is over, was given back, or never was."""
