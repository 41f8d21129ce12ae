"""Listen and serve until told to end."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI

from pseudonormal.errors import InputError
from pseudonormal.server.watch import when_gone

_BACKLOG = 128
_LAST_WORDS_SECONDS = 1  # for answers that are on their way when the server is told to end


def is_loopback(host: str) -> bool:
    """Whether an address is reached from this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def listen(host: str, port: int) -> socket.socket:
    """A socket that clients can connect to from now on.

    :param port: 0 takes a free one.
    :raises InputError: the address is not this machine's, or taken.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(_BACKLOG)
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(
            f"--host {host} --port {port}: cannot be listened on ({reason}); choose another address or port"
        ) from error
    return listening


def address_of(listening: socket.socket) -> str:
    """The URL of a listening socket."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class _Server(uvicorn.Server):
    """Says when it listens."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so; where nobody listens any more, end in good order."""
        await super().startup(sockets)
        if self.started:
            try:
                self._announce()
            except BrokenPipeError:  # who started it was killed meanwhile
                self.should_exit = True


def run(app: FastAPI, listening: socket.socket, announce: Callable[[], None], parent: int | None = None) -> None:
    """Serve until Ctrl-C, SIGTERM or the end of another process.

    :param announce: called once clients are answered.
    :param parent: that process.
    """
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        timeout_graceful_shutdown=_LAST_WORDS_SECONDS,
    )
    server = _Server(config, announce)

    def end() -> None:
        server.should_exit = True

    if parent is not None:
        when_gone(parent, end)
    server.run(sockets=[listening])
