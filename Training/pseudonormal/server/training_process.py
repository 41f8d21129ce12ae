"""The process that trains, or makes scans: how it is started, listened to, asked to end, and made to."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from pseudonormal.server.settings import TOKEN_VARIABLE
from pseudonormal.server.training import ERRORS, SAID

PATIENCE_SECONDS = 4.0
"""So long a training may take to save its state once it is to end. It needs less than two on a machine that is not
overloaded; where it is ended, it goes on from what it saved before, which is whole whatever happens."""
FAREWELL_SECONDS = 1.5
"""So long a server that ends waits for its training, which saves its state by itself however long that takes."""
LAST_WORDS_SECONDS = 1.0
LONGEST_LINE = 1 << 22


class TrainingProcess:
    """A process that was started."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, command: Sequence[str], errors: BinaryIO) -> TrainingProcess:
        """Start a command as the head of a group of its own: Ctrl-C at the server is not for it.

        :param errors: takes its stderr.
        :raises OSError: it cannot be started.
        """
        environment = {name: value for name, value in os.environ.items() if name != TOKEN_VARIABLE}
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            env=environment | {"PYTHONUNBUFFERED": "1"},
            limit=LONGEST_LINE,
            start_new_session=True,
        )
        return cls(process)

    async def follow(self, hear: Callable[[bytes], None]) -> int:
        """Hear every line that it prints until it has ended, with all that it started; its exit code."""
        reading = asyncio.create_task(self._read(hear))
        try:
            code = await self._process.wait()
            self.kill()  # what it left behind would keep its output open
            await asyncio.wait({reading}, timeout=LAST_WORDS_SECONDS)
        finally:
            reading.cancel()
        return code

    def ask_to_end(self) -> None:
        """Have it save its state and end."""
        if self._process.stdin:
            self._process.stdin.close()

    def kill(self) -> None:
        """End it and all that it started, at once."""
        if sys.platform == "win32":
            with suppress(ProcessLookupError):
                self._process.kill()
            return
        with suppress(ProcessLookupError, PermissionError):  # on macOS a group of dead processes says the latter
            os.killpg(self._process.pid, signal.SIGKILL)

    async def _read(self, hear: Callable[[bytes], None]) -> None:
        assert self._process.stdout
        async for line in self._process.stdout:
            if line.endswith(b"\n"):  # else it was killed in the middle of a word
                hear(line)


def keep_in(folder: Path) -> tuple[BinaryIO, BinaryIO]:
    """The files that take what a process prints: stdout, then stderr. What earlier ones printed stays.

    :param folder: the training's.
    :raises OSError: they cannot be written.
    """
    return (folder / SAID).open("ab"), (folder / ERRORS).open("ab")
