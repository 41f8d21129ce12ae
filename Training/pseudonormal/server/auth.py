"""Who may ask: whoever shows the token. Looked at before anything else of a request, its body above all."""

from __future__ import annotations

import hmac

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from pseudonormal.server.errors import line

OPEN = frozenset({"/health"})


class TokenNeeded:
    """Refuses requests without ``Authorization: Bearer TOKEN``, to any address but ``/health``."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._token = token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 401."""
        if scope["type"] == "http" and scope["path"] not in OPEN and not self._shown(Headers(scope=scope)):
            answer = line(401, "the token is missing or wrong; give the one that the engine was started with")
            answer.headers["WWW-Authenticate"] = "Bearer"
            await answer(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _shown(self, headers: Headers) -> bool:
        kind, _, token = headers.get("Authorization", "").partition(" ")
        # takes equally long however much of the token is right
        return kind.lower() == "bearer" and hmac.compare_digest(token.strip().encode(), self._token)
