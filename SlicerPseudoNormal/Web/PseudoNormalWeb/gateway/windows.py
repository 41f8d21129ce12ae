"""All windows: a spare one is kept warm, unused ones are ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from PseudoNormalWeb.gateway.settings import Settings
from PseudoNormalWeb.gateway.window_process import ENDED, WindowProcess, window_environment

REMEMBERED = 64  # windows that have ended and can still say why


class Full(Exception):  # noqa: N818 - read as what it is
    """No more windows can be opened, and all are in use."""


class Windows:
    """The windows of one gateway.

    :param files: folder for what is uploaded; each window has one of its own in it.
    :param log: called with each line that a window says.
    """

    def __init__(
        self, settings: Settings, engine_url: str, engine_token: str, files: Path, log: Callable[[str], None]
    ) -> None:
        self._settings, self._files, self._log = settings, files, log
        self._command = (*settings.window, "--engine", engine_url, "--data", str(settings.data))
        self._environment = window_environment(engine_token)
        self._windows: dict[str, WindowProcess] = {}
        self._spare: WindowProcess | None = None
        self._renewing: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def spare(self) -> WindowProcess | None:
        """The window that waits for the next who comes."""
        return self._spare

    def start(self) -> None:
        """Warm up the first window, and begin to look after all."""
        self._spare = self._new()
        self._keep(asyncio.create_task(self._look_after()))

    def find(self, window_id: str) -> WindowProcess | None:
        """The window with this id, running or not; the spare one is nobody's yet."""
        return self._windows.get(window_id)

    def open(self) -> WindowProcess:
        """A window for somebody who comes; it may still be starting.

        :raises Full: there are too many.
        """
        running = [window for window in self._windows.values() if not window.reason]
        if len(running) >= self._settings.most_windows:
            longest = max(running, key=lambda window: window.unused_s)
            if longest.unused_s == 0:
                raise Full(f"{len(running)} windows are open, which is all that there may be; close one of them first")
            self._end(longest, "this window was closed because others were opened; all work in it was saved")
        spare, self._spare = self._spare, None
        window = spare if spare is not None and not spare.reason else self._new()
        window.taken()
        self._windows[window.id] = window
        self._forget()
        if self._renewing is None or self._renewing.done():
            self._renewing = asyncio.create_task(self._renew(window))
            self._keep(self._renewing)
        return window

    async def close(self) -> None:
        """Have all save and end, at once."""
        for task in tuple(self._tasks):
            task.cancel()
        reason = "the workbench was ended; all work in this window was saved"
        all_of_them = [*self._windows.values(), *([self._spare] if self._spare is not None else [])]
        await asyncio.gather(*(window.end(reason) for window in all_of_them))

    def _new(self) -> WindowProcess:
        return WindowProcess(self._command, self._environment, self._files, self._log)

    async def _renew(self, taken: WindowProcess) -> None:
        """Warm up the next window, but not while the one just taken needs the processor to show itself."""
        if await taken.settled():
            await asyncio.sleep(self._settings.spare_after_s)
            if self._spare is None:
                self._spare = self._new()

    async def _look_after(self) -> None:
        """End what no tab shows any more."""
        settings = self._settings
        while True:
            await asyncio.sleep(min(5.0, settings.idle_s / 4, settings.unseen_s / 4))
            for window in self._windows.values():
                patience = settings.idle_s if window.seen else settings.unseen_s
                if not window.reason and window.unused_s > patience:
                    self._end(window, "this window was closed because it was not used; all work in it was saved")

    def _end(self, window: WindowProcess, reason: str) -> None:
        self._keep(asyncio.create_task(window.end(reason)))

    def _keep(self, task: asyncio.Task[None]) -> None:
        """The loop alone does not keep a task alive."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _forget(self) -> None:
        ended = [window.id for window in self._windows.values() if window.state == ENDED]
        for window_id in ended[:-REMEMBERED]:
            del self._windows[window_id]
