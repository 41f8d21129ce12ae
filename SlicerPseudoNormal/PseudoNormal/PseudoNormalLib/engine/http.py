"""HTTP with the engine: every failure becomes an :class:`EngineError` with one line."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote, urlsplit

import requests

from PseudoNormalLib.engine.errors import OF_STATUS, EngineError, Refused, Unreachable
from PseudoNormalLib.i18n import _

BLOCK = 1 << 20
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_LONGEST_LINE = 300
_CONNECTING_S = 5.0

Progress = Callable[[float], None]


class Http:
    """One engine's address and key; may be used by several threads.

    :param timeout: seconds without any answer after which the engine counts as unreachable.
    """

    def __init__(self, url: str, token: str, timeout: float) -> None:
        self.url = url.strip().rstrip("/")
        self._timeout = (min(timeout, _CONNECTING_S), timeout)
        self._session = requests.Session()
        # A .netrc may hold another key for the same machine, and a proxy knows nothing of this computer's own ports.
        self._session.auth = _with_key(token)
        self._session.trust_env = not on_this_computer(self.url)

    def json(self, method: str, path: str, *, query: dict[str, Any] | None = None, body: Any = None) -> Any:
        """What the engine answers; None where it has nothing to say.

        :raises EngineError: no answer, or a refusal.
        """
        return _parsed(self._ask(method, path, params=_given(query), json=body))

    def send(
        self, path: str, content: bytes, *, query: dict[str, Any] | None = None, progress: Progress | None = None
    ) -> Any:
        """Send bytes as they are; what the engine answers.

        :param progress: told the fraction that is sent; what it raises stops the sending.
        :raises EngineError: no answer, or a refusal.
        """
        body = _Blocks(content, progress)
        headers = {"Content-Type": "application/octet-stream"}
        return _parsed(self._ask("POST", path, params=_given(query), data=body, headers=headers))

    def fetch(self, path: str, *, query: dict[str, Any] | None = None, progress: Progress | None = None) -> bytes:
        """A file's content.

        :param progress: told the fraction that has come; what it raises stops the transfer.
        :raises EngineError: no answer, or a refusal.
        """
        with self._ask("GET", path, params=_given(query), stream=True) as response:
            total = int(response.headers.get("Content-Length", 0))
            blocks, come = [], 0
            try:
                for block in response.iter_content(BLOCK):
                    blocks.append(block)
                    come += len(block)
                    if progress is not None and total:
                        progress(come / total)
            except requests.RequestException as error:
                raise self._unreachable(error) from error
        return b"".join(blocks)

    def _ask(self, method: str, path: str, **details: Any) -> requests.Response:
        try:
            response = self._session.request(
                method, self.url + path, timeout=self._timeout, allow_redirects=False, **details
            )
        except (requests.RequestException, ValueError, OSError) as error:
            raise self._unreachable(error) from error
        if not 200 <= response.status_code < 300:
            raise _refusal(response)
        return response

    def _unreachable(self, error: Exception) -> EngineError:
        if isinstance(error, requests.exceptions.SSLError):
            reason = _("its certificate is not accepted")
        elif isinstance(error, requests.Timeout):
            reason = _("it does not answer")
        elif isinstance(error, requests.ConnectionError):
            reason = _("there is no connection")
        else:
            reason = _("that is not an address")
        return Unreachable(_("The engine at {url} cannot be reached: {reason}.").format(url=self.url, reason=reason))


def on_this_computer(url: str) -> bool:
    """Whether an address leads to this computer itself."""
    try:
        return urlsplit(url).hostname in _LOOPBACK
    except ValueError:  # no address at all
        return False


def path_part(text: str) -> str:
    """One part of a path, whatever is in it."""
    return quote(str(text), safe="")


class _Blocks(io.BytesIO):
    """Bytes that say how far they have been read; read in large blocks, each of which needs Python only once."""

    def __init__(self, content: bytes, progress: Progress | None) -> None:
        super().__init__(content)
        self._total = len(content)
        self._progress = progress

    def __len__(self) -> int:
        return self._total

    def __iter__(self) -> Iterator[bytes]:
        return iter(lambda: self.read(BLOCK), b"")

    def read(self, _size: int | None = -1) -> bytes:
        block = super().read(BLOCK)
        if self._progress is not None and self._total:
            self._progress(self.tell() / self._total)
        return block


def _with_key(token: str) -> Callable[[requests.PreparedRequest], requests.PreparedRequest]:
    key = "".join(token.split())  # where it was pasted from, lines may have been broken

    def add(request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {key}".encode()
        return request

    return add


def _given(query: dict[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (query or {}).items() if value is not None}


def _parsed(response: requests.Response) -> Any:
    if not response.content:
        return None
    try:
        return response.json()
    except ValueError as error:
        raise EngineError(_("What answers at {url} is no engine.").format(url=response.url)) from error


def _refusal(response: requests.Response) -> Refused:
    """The engine's own line, where there is one."""
    try:
        line = str(response.json()["detail"])
    except (ValueError, KeyError, TypeError):
        line = _("The engine answered {status} {reason}.").format(status=response.status_code, reason=response.reason)
    line = " ".join(line.split())[:_LONGEST_LINE]
    if response.status_code == 401:
        line = _("The engine does not accept the key.")
    kind = OF_STATUS.get(response.status_code, Refused)
    return kind(response.status_code, line)
