"""End with the program that started the server, however that one ended."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable

EVERY_SECONDS = 0.5


def when_gone(process: int, call: Callable[[], None]) -> None:
    """Call something once another process has ended; waits in a thread of its own.

    :param process: its number.
    """
    wait = _wait_windows if sys.platform == "win32" else _wait

    def watch() -> None:
        wait(process)
        call()

    threading.Thread(target=watch, daemon=True, name="parent watch").start()


def _wait(process: int) -> None:
    child = os.getppid() == process  # a dead parent that nobody has collected still has its number
    while _there(process) and not (child and os.getppid() != process):
        time.sleep(EVERY_SECONDS)


def _there(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _wait_windows(process: int) -> None:
    """There, signal 0 is no question but an order; one waits for a handle."""
    if sys.platform == "win32":
        import ctypes

        synchronise, for_ever = 0x00100000, 0xFFFFFFFF
        kernel = ctypes.windll.kernel32
        handle = kernel.OpenProcess(synchronise, False, process)
        if handle:
            kernel.WaitForSingleObject(handle, for_ever)
            kernel.CloseHandle(handle)
