"""One window: the process behind one tab of the browser, from its start to its end."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from PseudoNormalLib.engine.trees import end_tree, tree_of_its_own

from PseudoNormalWeb.window_key import KEY_VARIABLE

STARTING_S = 120.0
SAVING_S = 10.0  # what a window may take to save when it is told to end
LAST_WORDS_S = 2.0
LONGEST_LINE = 1 << 20
TEMPORARY = ".temporary"  # no upload can have this name
STARTING, SERVING, ENDED = "starting", "serving", "ended"


class WindowProcess:
    """A window.

    :param command: starts it.
    :param environment: of the process; the key is added.
    :param files: holds a folder that is this window's alone: what is uploaded to it and its temporary files. Made now,
        removed when it has ended, however it ended.
    :param log: called with each line that it says.
    :ivar id: names it in addresses; nobody can guess it.
    :ivar key: see :mod:`PseudoNormalWeb.window_key`.
    :ivar state: ``starting``, ``serving`` or ``ended``.
    :ivar port: where it listens on the loopback, once it serves.
    :ivar reason: once it has ended or is about to: why, in one line.
    :ivar seen: whether a tab has ever shown it.
    """

    def __init__(
        self, command: Sequence[str], environment: dict[str, str], files: Path, log: Callable[[str], None]
    ) -> None:
        self.id = secrets.token_urlsafe(16)
        self.key = secrets.token_urlsafe(32)
        self.files = files / self.id
        self.state, self.port, self.reason = STARTING, 0, ""
        self.seen = False
        self._command = (*command, "--files", str(self.files))
        self._temporary = self.files / TEMPORARY
        self._environment = environment | {KEY_VARIABLE: self.key, "TMPDIR": str(self._temporary)}
        self._log = log
        self._last = ""
        self._sockets = 0
        self._unused_since = time.monotonic()
        self._process: asyncio.subprocess.Process | None = None
        self._settled, self._stop = asyncio.Event(), asyncio.Event()
        self._life = asyncio.create_task(self._live())

    @property
    def unused_s(self) -> float:
        """Seconds since a tab last showed it; 0 while one does."""
        return 0.0 if self._sockets else time.monotonic() - self._unused_since

    @property
    def pid(self) -> int | None:
        """The number of its process, where there is one."""
        return self._process.pid if self._process is not None else None

    def taken(self) -> None:
        """Somebody opens it: it may have been warm for days, but is theirs from now on."""
        self._unused_since = time.monotonic()

    @contextmanager
    def shown(self) -> Iterator[None]:
        """While the block runs a tab shows it."""
        self.seen = True
        self._sockets += 1
        try:
            yield
        finally:
            self._sockets -= 1
            self._unused_since = time.monotonic()

    async def settled(self) -> bool:
        """Wait until it serves or has ended; whether it serves."""
        await self._settled.wait()
        return self.state == SERVING

    async def end(self, reason: str) -> None:
        """Have it save and end; returns once it is gone."""
        self.reason = self.reason or reason
        self._stop.set()
        await asyncio.shield(self._life)

    async def _live(self) -> None:
        try:
            for folder in (self.files, self._temporary):
                folder.mkdir(mode=0o700, parents=True)  # scans are nobody else's business
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                env=self._environment,
                limit=LONGEST_LINE,
                **tree_of_its_own(),
            )
        except OSError as error:
            self._last = f"{error.strerror or error}: {error.filename or self._command[0]}"
        else:
            await self._follow(self._process)
        self.state = ENDED
        self.reason = self.reason or self._in_words()
        self._settled.set()
        await asyncio.to_thread(shutil.rmtree, self.files, ignore_errors=True)

    async def _follow(self, process: asyncio.subprocess.Process) -> None:
        """From the first line to the end of the process and all that it started."""
        reading = asyncio.create_task(self._read(process))
        waiting = asyncio.create_task(process.wait())
        stopping = asyncio.create_task(self._stop.wait())
        starting = asyncio.create_task(self._settled.wait())
        await asyncio.wait((waiting, stopping, starting), timeout=STARTING_S, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            await asyncio.wait((waiting, stopping), return_when=asyncio.FIRST_COMPLETED)
        if stopping.done() and process.stdin is not None:
            process.stdin.close()
            await asyncio.wait((waiting,), timeout=SAVING_S)
        end_tree(process)  # what would not end, and what it left behind
        await waiting
        await asyncio.wait((reading,), timeout=LAST_WORDS_S)
        for task in (reading, stopping, starting):
            task.cancel()

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        while True:
            try:
                line = await process.stdout.readline()
            except ValueError:  # longer than any line should be: its beginning is dropped
                continue
            if not line:
                return
            text = line.decode(errors="replace").rstrip()
            if self.state == STARTING and (port := _port_in(text)):
                self.port, self.state = port, SERVING
                self._unused_since = time.monotonic()
                self._settled.set()
                continue
            self._last = text or self._last
            with suppress(OSError):  # a full disk ends no window
                self._log(text)

    def _in_words(self) -> str:
        if self.state == STARTING or self.port == 0:
            return f"the workbench could not be started: {self._last or 'it said nothing'}"
        code = self._process.returncode if self._process is not None else None
        how = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
        return (
            f"this window ended unexpectedly ({how}); what was drawn in a case under review is kept on this computer "
            "and is offered when the case is opened again"
        )


def window_environment(engine_token: str) -> dict[str, str]:
    """What a window's process finds in its environment."""
    ours = {"PSEUDONORMAL_TOKEN": engine_token, "PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1"}
    ours["PYTHONSAFEPATH"] = "1"  # the user's present folder is no place for modules
    ours["WSLINK_READY_MSG"] = ""  # else written without an end of line before our own
    kept = {name: value for name, value in os.environ.items() if name != "PSEUDONORMAL_WEB_TOKEN"}
    return kept | ours


def _port_in(line: str) -> int:
    """The port in the line by which a window says that it serves, else 0."""
    try:
        facts = json.loads(line)
    except ValueError:
        return 0
    port = facts.get("port") if isinstance(facts, dict) else None
    return port if isinstance(port, int) else 0
