"""Passes what comes to ``/w/<id>/`` on to the window's own server, and its answers back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar, WSMsgType, web
from multidict import CIMultiDict
from yarl import URL

from PseudoNormalWeb.gateway.window_process import WindowProcess
from PseudoNormalWeb.window_key import KEY_HEADER

# Only what stands here goes through: no cookie reaches a window, and none is set by one.
ASKED = (
    "Accept",
    "Accept-Encoding",
    "Accept-Language",
    "Cache-Control",
    "Content-Length",
    "Content-Type",
    "If-Modified-Since",
    "If-None-Match",
    "If-Range",
    "Range",
    "User-Agent",
)
ANSWERED = (
    "Accept-Ranges",
    "Cache-Control",
    "Content-Disposition",
    "Content-Encoding",
    "Content-Length",
    "Content-Range",
    "Content-Type",
    "ETag",
    "Last-Modified",
    "Location",
    "Vary",
)
LARGEST_MESSAGE = 64 << 20  # from a browser
HEARTBEAT_S = 20.0  # by which a browser that is gone without a word is noticed
CONNECTING_S = 10.0


class Gone(Exception):  # noqa: N818 - read as what it is
    """The window does not answer any more."""


class Proxy:
    """The connections between browsers and windows."""

    def __init__(self) -> None:
        self._session = ClientSession(
            auto_decompress=False,
            cookie_jar=DummyCookieJar(),
            timeout=ClientTimeout(total=None, sock_connect=CONNECTING_S),
        )
        self._open: set[web.WebSocketResponse] = set()

    async def close(self) -> None:
        """Hang up on all."""
        await asyncio.gather(*(socket.close(code=1001, message=b"the workbench has ended") for socket in self._open))
        await self._session.close()

    async def pass_on(self, request: web.Request, window: WindowProcess, prefix: str) -> web.StreamResponse:
        """Answer a request with what the window answers.

        :param prefix: what the window does not see of the path.
        :raises Gone: it does not.
        """
        address = _address(request, window, prefix)
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._join(request, window, address)
        headers = _only(ASKED, request.headers)
        headers[KEY_HEADER] = window.key
        body = request.content if request.can_read_body else None
        try:
            answer = await self._session.request(
                request.method, address, headers=headers, data=body, allow_redirects=False
            )
        except (ClientError, OSError) as error:
            raise Gone from error
        async with answer:
            passed = web.StreamResponse(status=answer.status, headers=_only(ANSWERED, answer.headers))
            await passed.prepare(request)
            try:
                async for chunk in answer.content.iter_any():
                    await passed.write(chunk)
                await passed.write_eof()
            except (ClientError, OSError):  # one of the two is gone in the middle: the other is to see that
                if request.transport is not None:
                    request.transport.abort()
        return passed

    async def _join(self, request: web.Request, window: WindowProcess, address: URL) -> web.StreamResponse:
        """Two websockets, tied together until one of them ends."""
        protocols = [name.strip() for name in request.headers.get("Sec-WebSocket-Protocol", "").split(",")]
        try:
            inner = await self._session.ws_connect(
                address,
                protocols=[name for name in protocols if name],
                headers={KEY_HEADER: window.key},
                max_msg_size=0,
            )
        except (ClientError, OSError) as error:
            raise Gone from error
        outer = web.WebSocketResponse(
            protocols=[inner.protocol] if inner.protocol else [],
            heartbeat=HEARTBEAT_S,
            max_msg_size=LARGEST_MESSAGE,
            compress=False,  # most of it is pictures
        )
        try:
            await outer.prepare(request)
            self._open.add(outer)
            with window.shown():
                await _first_of(_pump(outer, inner), _pump(inner, outer))
        finally:
            self._open.discard(outer)
            await inner.close()
            await outer.close(code=_closing(inner.close_code))
        return outer


async def _first_of(*both: Any) -> None:
    tasks = [asyncio.ensure_future(one) for one in both]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _pump(source: Any, target: Any) -> None:
    """Hand on every message until the source ends or the target is gone."""
    async for message in source:
        try:
            if message.type == WSMsgType.BINARY:
                await target.send_bytes(message.data)
            elif message.type == WSMsgType.TEXT:
                await target.send_str(message.data)
            else:
                return
        except OSError:
            return


def _closing(code: int | None) -> int:
    """The code with which the browser's side is closed; what means "no word was said" may not be said."""
    return code if code is not None and 1000 <= code < 5000 and code not in (1004, 1005, 1006, 1015) else 1011


def _address(request: web.Request, window: WindowProcess, prefix: str) -> URL:
    path = request.rel_url.raw_path.removeprefix(prefix)
    query = request.rel_url.raw_query_string
    return URL.build(
        scheme="http",
        host="127.0.0.1",
        port=window.port,
        path=path if path.startswith("/") else f"/{path}",
        query_string=query,
        encoded=True,
    )


def _only(names: Iterable[str], headers: Mapping[str, str]) -> CIMultiDict[str]:
    return CIMultiDict((name, headers[name]) for name in names if name in headers)
