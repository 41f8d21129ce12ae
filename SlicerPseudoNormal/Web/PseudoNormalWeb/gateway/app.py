"""The gateway's addresses."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from PseudoNormalWeb.gateway import pages, uploads
from PseudoNormalWeb.gateway.access import Access, knocks
from PseudoNormalWeb.gateway.proxy import Gone, Proxy
from PseudoNormalWeb.gateway.window_process import ENDED, SERVING, STARTING, WindowProcess
from PseudoNormalWeb.gateway.windows import Full, Windows

NEW_WINDOW = "Open a new window"
UNKNOWN = "this window is not open any more; all work in it was saved"
# What the windows' pages may do, whatever stands in their address: no other site is asked, framed or followed.
HEADERS = {
    "Content-Security-Policy": "connect-src 'self' blob: data:; object-src 'none'; base-uri 'self'; "
    "form-action 'self'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Server": "PseudoNormal",
    "X-Content-Type-Options": "nosniff",
}

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Gateway:
    """What is answered at which address.

    :param most_bytes: of one uploaded file.
    """

    def __init__(self, windows: Windows, proxy: Proxy, access: Access, most_bytes: int) -> None:
        self._windows, self._proxy, self._access, self._most_bytes = windows, proxy, access, most_bytes

    def app(self) -> web.Application:
        """The application to serve."""

        @web.middleware
        async def guard(request: web.Request, handler: _Handler) -> web.StreamResponse:
            return await self._guard(request, handler)

        app = web.Application(middlewares=[guard])
        app.on_response_prepare.append(_protect)
        app.router.add_get("/", self._open, allow_head=False)
        app.router.add_get("/state/{id}", self._state)
        app.router.add_get("/w/{id}", self._with_slash, allow_head=False)
        app.router.add_put("/w/{id}/files/{upload}/{path:.+}", self._upload)
        app.router.add_route("*", "/w/{id}/{path:.*}", self._window)
        return app

    async def _guard(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        fault = self._access.fault(request)
        if knocks(request, fault) and self._access.shows_token(request):
            answer = pages.let_in()
            self._access.hand_pass(request, answer)
            return answer
        if fault is not None:
            return pages.told(request, *fault)
        return await handler(request)

    async def _open(self, request: web.Request) -> web.StreamResponse:
        """A window of one's own."""
        if "token" in request.query:  # the token is not to stay in the address
            raise web.HTTPFound("/")
        try:
            window = self._windows.open()
        except Full as error:
            return pages.told(request, 503, str(error), "Try again")
        raise web.HTTPFound(f"/w/{window.id}/", headers={"Cache-Control": "no-store"})

    async def _state(self, request: web.Request) -> web.StreamResponse:
        """How a window is, for its page."""
        window = self._windows.find(request.match_info["id"])
        gone = window is None or bool(window.reason)
        state = ENDED if window is None or gone else window.state
        line = UNKNOWN if window is None else window.reason
        return web.json_response({"state": state, "line": line}, headers={"Cache-Control": "no-store"})

    async def _with_slash(self, request: web.Request) -> web.StreamResponse:
        raise web.HTTPFound(f"/w/{request.rel_url.raw_path.removeprefix('/w/')}/")

    async def _window(self, request: web.Request) -> web.StreamResponse:
        window = self._windows.find(request.match_info["id"])
        if window is None:
            return pages.told(request, 404, UNKNOWN, NEW_WINDOW)
        if window.state == STARTING and "text/html" in request.headers.get("Accept", ""):
            return pages.waiting(window.id)
        if window.reason or not await window.settled():
            return _gone(request, window)
        try:
            return await self._proxy.pass_on(request, window, f"/w/{window.id}")
        except Gone:
            return _gone(request, window)

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        window = self._windows.find(request.match_info["id"])
        if window is None or window.reason:
            return pages.told(request, 404, UNKNOWN)
        try:
            target = uploads.place(window.files, request.match_info["upload"], request.match_info["path"])
            await uploads.receive(request.content.iter_any(), target, request.content_length, self._most_bytes)
        except uploads.Refused as error:
            return pages.told(request, error.status, str(error))
        return web.Response(status=201)


def _gone(request: web.Request, window: WindowProcess) -> web.Response:
    line = window.reason or "this window does not answer; it is being looked after, reload the page in a moment"
    return pages.told(request, 410 if window.state != SERVING else 502, line, NEW_WINDOW)


async def _protect(_request: web.Request, response: web.StreamResponse) -> None:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
