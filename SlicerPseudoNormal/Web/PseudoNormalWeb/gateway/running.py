"""Everything of the gateway put together, from its start to its end."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from aiohttp import web

from PseudoNormalWeb.gateway.access import Access
from PseudoNormalWeb.gateway.app import Gateway
from PseudoNormalWeb.gateway.engine import SharedEngine
from PseudoNormalWeb.gateway.files_folder import files_folder
from PseudoNormalWeb.gateway.proxy import Proxy
from PseudoNormalWeb.gateway.settings import Settings, WrongUse
from PseudoNormalWeb.gateway.windows import Windows

LARGEST_LOG = 5 << 20
LAST_ANSWERS_S = 1.0


async def serve(
    settings: Settings, listening: socket.socket, announce: Callable[[], None], say: Callable[[str], None]
) -> None:
    """Serve until SIGINT or SIGTERM; then all windows save and end, and the engine ends.

    :param announce: called once browsers are answered.
    :param say: called with one line when something is wrong.
    :raises WrongUse: the user's data folder cannot be written.
    """
    told_to_end = _told_to_end()
    with files_folder(settings.data / "web" / "files") as files, _log(settings.data / "web" / "windows.log") as log:
        engine = SharedEngine(settings, say)
        windows = Windows(settings, engine.url, engine.token, files, lambda line: _write(log, line))
        proxy = Proxy()
        gateway = Gateway(windows, proxy, Access(settings.token), settings.most_bytes)
        runner = web.AppRunner(gateway.app(), access_log=None, shutdown_timeout=LAST_ANSWERS_S)
        try:
            # At once, all three: the page is to be usable within seconds.
            windows.start()
            engine.start()
            await runner.setup()
            await web.SockSite(runner, listening).start()
            announce()
            await told_to_end.wait()
        finally:
            await proxy.close()
            await asyncio.gather(windows.close(), engine.close())
            await runner.cleanup()


def _told_to_end() -> asyncio.Event:
    told, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):  # Windows: KeyboardInterrupt comes instead
            loop.add_signal_handler(number, told.set)
    return told


def _log(file: Path) -> TextIO:
    """What windows say, for whoever looks for a fault.

    :raises WrongUse: it cannot be written.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.is_file() and file.stat().st_size > LARGEST_LOG:
            file.replace(file.with_suffix(".old.log"))
        return file.open("a", encoding="utf-8")
    except OSError as error:
        raise WrongUse(f"{file}: cannot be written ({error.strerror}); make room there or change the rights") from error


def _write(log: TextIO, line: str) -> None:
    log.write(line + "\n")
    log.flush()
