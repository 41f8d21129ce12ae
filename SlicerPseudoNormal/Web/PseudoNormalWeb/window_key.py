"""What a window's own server asks of everybody: a key that the gateway alone knows.

A window listens on the loopback, and whatever else runs on the computer, pages of other sites in the user's browser
above all, can reach that port. They lack the key.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Awaitable, Callable

from aiohttp import web

KEY_VARIABLE = "PSEUDONORMAL_WINDOW_KEY"
KEY_HEADER = "X-PseudoNormal-Key"

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def ask_for_key(app: web.Application) -> None:
    """Have an application, before it serves, refuse all requests that do not come through the gateway.

    A window that was started by hand has no key, and then serves everybody.
    """
    key = os.environ.pop(KEY_VARIABLE, "").encode()
    if not key:
        return

    @web.middleware
    async def with_key(request: web.Request, handler: _Handler) -> web.StreamResponse:
        if not hmac.compare_digest(request.headers.get(KEY_HEADER, "").encode(errors="replace"), key):
            return web.Response(status=403, text="open the workbench by the address that the gateway printed\n")
        return await handler(request)

    app.middlewares.append(with_key)
