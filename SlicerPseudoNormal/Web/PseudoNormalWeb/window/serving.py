"""The life of a window's process: it serves, and when nobody wants it any more it saves and ends."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from trame.app import get_server
from trame_rca import module as pictures

from PseudoNormalWeb.window.page import Page
from PseudoNormalWeb.window.sample import offer_sample
from PseudoNormalWeb.window.window import open_window
from PseudoNormalWeb.window_key import ask_for_key

STOPPING_S = 2.0
"""The longest that hanging up may take."""


async def serve(*, engine: str, token: str, files: Path, data: Path, sample: Path) -> None:
    """Serve one tab on a free loopback port until stdin is closed."""
    unwanted = asyncio.Event()
    _when_closed(asyncio.get_running_loop(), unwanted)
    server = get_server("PseudoNormal", client_type="vue3")
    window = open_window(server, engine=engine, token=token, files=files, data=data)
    server.enable_module(pictures)  # before it serves; views are made when they are first shown
    page = Page(window)
    offer_sample(window.bench, sample)
    page.build()
    server.controller.on_server_bind.add(lambda served: ask_for_key(served.app))
    served = server.start(
        port=0, host="127.0.0.1", exec_mode="task", open_browser=False, show_connection_info=False, timeout=0
    )
    await server.ready
    window.bench.wake()
    server.state.flush()
    sys.stdout.write(json.dumps({"port": server.port}) + "\n")
    sys.stdout.flush()
    await unwanted.wait()
    await window.close()
    page.close()
    await _stop(server, served)


async def _stop(server: Any, served: Any) -> None:
    with suppress(asyncio.TimeoutError):
        await asyncio.wait_for(server.stop(), STOPPING_S)
    served.cancel()


def _when_closed(loop: asyncio.AbstractEventLoop, closed: asyncio.Event) -> None:
    """Set the event once stdin has ended."""

    def wait() -> None:
        while os.read(0, 4096):  # not through sys.stdin, whose lock Python wants to have when it ends
            pass
        loop.call_soon_threadsafe(closed.set)

    threading.Thread(target=wait, daemon=True, name="stdin").start()
