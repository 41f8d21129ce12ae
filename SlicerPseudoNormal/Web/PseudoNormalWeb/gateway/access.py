"""Who may use the workbench: asked of every request before anything else of it is looked at, websockets too.

Three things are kept out: people without the token, pages of other sites in the user's own browser, and names that
such a site has pointed at this machine (DNS rebinding).
"""

from __future__ import annotations

import hmac
from urllib.parse import SplitResult, urlsplit

from aiohttp import web

PORTS = {"http": 80, "https": 443}
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


class Access:
    """The rules.

    :param token: what must be shown once, and is remembered in a cookie; empty: nobody is asked, and only names of the
        loopback are answered to.
    """

    def __init__(self, token: str) -> None:
        self._token = token.encode()
        # A cookie goes to every port of its host: it opens the door, but is not the token.
        self._pass = hmac.digest(self._token, b"cookie of the workbench", "sha256").hex()

    def fault(self, request: web.Request) -> tuple[int, str] | None:
        """Why a request is refused: status and one line; None where it is not."""
        address = _address(request)
        if address is None or (not self._token and address[0] not in LOOPBACK_NAMES):
            return 403, "this is not an address of the workbench; open the one that was printed when it was started"
        if not _from_our_page(request, address):
            return 403, "a page of another site may not use the workbench"
        if self._token and not self._has_pass(request):
            return 401, "the access token is missing or wrong; open the address that was printed, with ?token=..."
        return None

    def shows_token(self, request: web.Request) -> bool:
        """Whether this is somebody who comes to have their pass made out."""
        shown = request.query.get("token", "")
        return bool(self._token) and hmac.compare_digest(shown.encode(errors="replace"), self._token)

    def hand_pass(self, request: web.Request, answer: web.Response) -> None:
        """Have the browser remember that the token was shown."""
        answer.set_cookie(_cookie(request), self._pass, httponly=True, samesite="Strict", path="/")

    def _has_pass(self, request: web.Request) -> bool:
        shown = request.cookies.get(_cookie(request), "")
        return hmac.compare_digest(shown.encode(errors="replace"), self._pass.encode())


def knocks(request: web.Request, fault: tuple[int, str] | None) -> bool:
    """Whether a request lacks nothing but the pass, and comes to the door at which the token is shown."""
    return fault is not None and fault[0] == 401 and request.method == "GET" and request.path == "/"


def _cookie(request: web.Request) -> str:
    """Two workbenches on one host have a cookie each."""
    return f"pseudonormal-{_address(request)[1]}"  # type: ignore[index]


def _address(request: web.Request) -> tuple[str, int] | None:
    """Name and port that the browser has asked for; None where they make no sense."""
    hosts = request.headers.getall("Host", [])
    if len(hosts) != 1:
        return None
    split = _split(f"//{hosts[0]}")
    if split is None or split.path or split.query or split.fragment or "@" in hosts[0] or not split.hostname:
        return None
    return split.hostname, split.port or PORTS["http"]


def _from_our_page(request: web.Request, address: tuple[str, int]) -> bool:
    """Whether nobody but the workbench's own page, or the user by hand, sent this.

    Browsers name the page's origin with all that can change anything and with websockets, but not where a page only
    shows or loads something; there, they say at least how near it is.
    """
    origins = request.headers.getall("Origin", [])
    if origins:
        split = _split(origins[0])
        if len(origins) > 1 or split is None or split.scheme not in PORTS or not split.hostname:
            return False
        port = PORTS[split.scheme]
        named = address[1] if _names_port(request) else port
        return (split.hostname, split.port or port) == (address[0], named)
    if request.headers.get("Sec-Fetch-Site", "none") in ("none", "same-origin"):
        return True
    # A link on another site may lead here, in a tab of its own.
    to = request.headers.get("Sec-Fetch-Mode"), request.headers.get("Sec-Fetch-Dest")
    return request.method == "GET" and to == ("navigate", "document")


def _names_port(request: web.Request) -> bool:
    split = _split(f"//{request.headers['Host']}")
    return split is not None and split.port is not None


def _split(address: str) -> SplitResult | None:
    try:
        split = urlsplit(address)
        split.port  # noqa: B018 - looked at here because it may raise
    except ValueError:
        return None
    return split
