"""The engine that all windows share: one address and one token for as long as the gateway runs."""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import Callable

from PseudoNormalLib.engine.background import Background
from PseudoNormalLib.engine.process import LocalEngine
from PseudoNormalLib.ticks import asyncio_tick

from PseudoNormalWeb.gateway.settings import Settings

AGAIN_S = 30.0  # after it could not be started, or has ended again and again
LONGEST_END_S = 5.0


class SharedEngine:
    """An engine that is started with the gateway, again whenever it dies, and ended with it.

    :param say: called with one line when something is wrong.
    :ivar url: where it listens.
    :ivar token: what it asks of whoever wants to use it; no browser ever sees it.
    """

    def __init__(self, settings: Settings, say: Callable[[str], None]) -> None:
        port = _free_port()
        self.url, self.token = f"http://127.0.0.1:{port}", secrets.token_urlsafe(32)
        store = ("--store", str(settings.store)) if settings.store is not None else ()
        self._engine = LocalEngine(
            Background(asyncio_tick),
            settings.engine,
            settings.data / "web" / "engine.log",
            ("--device", settings.device, *store),
            port=port,
            token=self.token,
        )
        self._say = say
        self._again: asyncio.TimerHandle | None = None
        self._engine.died.connect(say)
        self._engine.failed.connect(self._failed)

    @property
    def pid(self) -> int | None:
        """The number of its process, where there is one."""
        return self._engine.pid

    def start(self) -> None:
        """Start it; does not wait."""
        self._engine.start()

    async def close(self) -> None:
        """End it with all its processes."""
        if self._again is not None:
            self._again.cancel()
        self._engine.stop()
        await asyncio.to_thread(self._engine.wait_stopped, LONGEST_END_S)

    def _failed(self, line: str) -> None:
        self._say(f"{line} It is tried again in {AGAIN_S:.0f} s; its log is {self._engine.log_file}")
        self._again = asyncio.get_running_loop().call_later(AGAIN_S, self._engine.start)


def _free_port() -> int:
    """Windows are told the address while the engine is still starting, so it cannot choose one itself."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
