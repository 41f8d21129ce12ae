"""Processes with all that they start, apart from the application's own surroundings."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Protocol

# What the application sets for its own Python, libraries and plug-ins leads any other Python astray.
OF_THE_APPLICATION = (
    "PYTHONHOME",
    "PYTHONPATH",
    "PYTHONSTARTUP",
    "PYTHONNOUSERSITE",
    "PYTHONEXECUTABLE",
    "__PYVENV_LAUNCHER__",
    "VIRTUAL_ENV",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
    "DYLD_LIBRARY_PATH",
    "DYLD_FRAMEWORK_PATH",
    "QT_PLUGIN_PATH",
)


class _Numbered(Protocol):
    """A process of ``subprocess`` or of ``asyncio``."""

    pid: int


def clean_environment() -> dict[str, str]:
    """This process's environment for a Python that is not the application's; what it prints is UTF-8 and at once."""
    kept = {name: value for name, value in os.environ.items() if name not in OF_THE_APPLICATION}
    return kept | {"PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1"}


def start_tree(command: Sequence[str], environment: dict[str, str]) -> subprocess.Popen[str]:
    """Start a program as the head of a tree of its own; what it says on both streams is its ``stdout``.

    :raises OSError: there is no such program.
    """
    return subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        **tree_of_its_own(),
    )


def tree_of_its_own() -> dict[str, Any]:
    """How a program is started that :func:`end_tree` shall end, and that no Ctrl-C in our terminal reaches."""
    return {
        "start_new_session": True,
        "creationflags": subprocess.CREATE_NO_WINDOW if sys.platform == "win32" else 0,
    }


def end_tree(process: _Numbered) -> None:
    """End a program and all that it started, at once; also what it left behind when it ended itself."""
    if sys.platform == "win32":
        # The head may be gone already; its children find their standard input closed.
        subprocess.run(["taskkill", "/F", "/T", "/PID", str(process.pid)], capture_output=True, check=False)  # noqa: S607
        return
    with suppress(ProcessLookupError, PermissionError):  # on macOS a group of dead processes says the latter
        os.killpg(process.pid, signal.SIGKILL)
