"""How much a client may send, counted while it arrives."""

from __future__ import annotations

import asyncio

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_JSON_BYTES = 1 << 20
LARGE = ("/volumes", "/revisions")
"""Ends of the addresses that take volumes; all others take a little JSON."""
PATIENCE_SECONDS = 5.0
"""So long a refused body is read and dropped: a client that is still sending would not see the answer."""


class BodyLimit:
    """Ends a request with 413 when its body is longer than allowed; what it announces is believed at once."""

    def __init__(self, app: ASGIApp, most_bytes: int) -> None:
        self._app = app
        self._most_bytes = most_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, its body counted."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most = self._most_bytes if scope["path"].endswith(LARGE) else MOST_JSON_BYTES
        announced = int(Headers(scope=scope).get("Content-Length", "0"))
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if max(announced, received) > most:
                if message.get("more_body", False):
                    await _drop_the_rest(receive)
                raise HTTPException(413, f"more was sent than the engine's limit of {most / 2**20:.4g} MB")
            return message

        await self._app(scope, counted, send)


async def _drop_the_rest(receive: Receive) -> None:
    async def drop() -> None:
        while (await receive()).get("more_body", False):
            pass

    try:
        await asyncio.wait_for(drop(), PATIENCE_SECONDS)
    except asyncio.TimeoutError:
        return
