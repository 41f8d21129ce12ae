"""What can be wrong with an export, in one line for people."""

from __future__ import annotations

import errno
from pathlib import Path

from PseudoNormalLib.i18n import _

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class ExportError(ValueError):
    """Nothing was written; the text says what is wrong and what to do."""


def unwritable(place: Path, error: OSError) -> ExportError:
    """What to say when the system refuses to write."""
    if error.errno in _FULL:
        return ExportError(_("{place}: the disk is full; free some space or choose another folder").format(place=place))
    return ExportError(
        _("{place}: cannot be written ({reason}); choose another folder").format(
            place=place, reason=error.strerror or error
        )
    )
