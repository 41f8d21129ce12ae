"""What a failure looks like to the user: one line and an exit code."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from typing import Any

from pseudonormal import __version__
from pseudonormal.errors import InputError

DONE, DEFECT, AT_FAULT, INTERRUPTED = 0, 1, 2, 130
DEBUG_VARIABLE = "PSEUDONORMAL_DEBUG"

_SYSTEM = {
    errno.ENOSPC: "the disk is full; free some space or choose another output folder with -o",
    errno.EDQUOT: "the disk quota is used up; free some space or choose another output folder with -o",
    errno.EFBIG: "the disk is full; free some space or choose another output folder with -o",
    errno.EACCES: "no right to read or write there; choose another place or change the rights",
    errno.EPERM: "no right to read or write there; choose another place or change the rights",
    errno.EROFS: "the disk is read-only; choose another output folder with -o",
}


def report_failure(error: BaseException) -> int:
    """Say on stderr what went wrong and return the exit code.

    A traceback is shown for defects only, and only where ``PSEUDONORMAL_DEBUG`` is set to 1.
    """
    if isinstance(error, BrokenPipeError):  # whoever read our output has gone: nothing to say, nobody to say it to
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DEFECT
    code, line = _in_words(error)
    if code == DEFECT and os.environ.get(DEBUG_VARIABLE) == "1":
        traceback.print_exception(error)
    say(line)
    return code


def say(line: str) -> None:
    """One line on stderr, named after the program."""
    sys.stderr.write(f"pseudonormal: {' '.join(line.split())}\n")
    sys.stderr.flush()


def _in_words(error: BaseException) -> tuple[int, str]:
    if isinstance(error, InputError):
        return AT_FAULT, str(error)
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED, "stopped; what was not finished has been removed"
    if hasattr(error, "format_message"):  # the command line library's own
        return AT_FAULT, _wrong_usage(error)
    if isinstance(error, OSError) and error.errno in _SYSTEM:
        where = f"{error.filename}: " if error.filename else ""
        return AT_FAULT, f"{where}{_SYSTEM[error.errno]}"
    # The second is torch's; the library is not loaded only to compare types.
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return AT_FAULT, "not enough memory for a scan of this size; free some, or choose another --device"
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return DEFECT, (
        f"a defect of PseudoNormal {__version__} ({_shortened(what)}); please report it with what "
        f"{DEBUG_VARIABLE}=1 prints"
    )


def _wrong_usage(error: Any) -> str:
    command = error.ctx.command_path if error.ctx else "pseudonormal"
    said = str(error.format_message()).replace("Value error, ", "").rstrip(".") or "name a command"
    return f"{said}; see {command} --help"


def _shortened(text: str, longest: int = 200) -> str:
    text = " ".join(text.split())
    return text if len(text) <= longest else text[: longest - 1] + "…"
