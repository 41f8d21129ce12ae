"""The command that starts the workbench and runs until it is told to end."""

from __future__ import annotations

import argparse
import asyncio
import errno
import json
import os
import secrets
import socket
import sys
import threading
import webbrowser
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from PseudoNormalLib.hosts import user_data_folder

from PseudoNormalWeb.gateway.running import serve
from PseudoNormalWeb.gateway.settings import SHORTEST_TOKEN, TOKEN_VARIABLE, Settings, WrongUse, is_loopback

DONE, AT_FAULT = 0, 2


def main(arguments: Sequence[str] | None = None, settings: Settings | None = None) -> int:
    """Run the workbench until Ctrl-C or SIGTERM.

    :param arguments: those of the process when not given.
    :param settings: what the arguments do not say.
    :returns: exit code: 0 ended as asked, 2 the arguments are at fault (one line on stderr).
    """
    options = _parser().parse_args(arguments)
    try:
        settings = _chosen(options, settings or Settings(data=user_data_folder()))
        listening = _listen(settings)
        address = _address(settings, listening)

        def announce() -> None:
            sys.stdout.write((json.dumps({"url": address}) if options.json else f"workbench: {address}") + "\n")
            sys.stdout.flush()
            if not options.no_open and _has_screen():
                threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()

        with suppress(KeyboardInterrupt):  # this is how a server ends
            asyncio.run(serve(settings, listening, announce, say))
    except WrongUse as error:
        say(str(error))
        return AT_FAULT
    return DONE


def say(line: str) -> None:
    """One line on stderr, named after the program."""
    with suppress(OSError):  # the terminal may be gone
        sys.stderr.write(f"pseudonormal: {' '.join(line.split())}\n")
        sys.stderr.flush()


def _parser() -> argparse.ArgumentParser:
    """The same options as ``pseudonormal web``, which explains them."""
    parser = argparse.ArgumentParser(prog="python -m PseudoNormalWeb.gateway")
    parser.add_argument("--host", default=Settings.host)
    parser.add_argument("--port", type=int, default=Settings.port)
    parser.add_argument("--store", type=Path)
    parser.add_argument("--device", default=Settings.device)
    parser.add_argument("--no-open", action="store_true")
    parser.add_argument("--json", action="store_true")
    return parser


def _chosen(options: argparse.Namespace, settings: Settings) -> Settings:
    token = os.environ.get(TOKEN_VARIABLE, "").strip()
    if token and (len(token) < SHORTEST_TOKEN or not token.isascii() or not token.isprintable()):
        raise WrongUse(f"{TOKEN_VARIABLE}: take at least {SHORTEST_TOKEN} letters, digits and signs")
    if not is_loopback(options.host):
        token = token or secrets.token_urlsafe(32)
        say(f"--host {options.host}: traffic is not encrypted; let others in through a tunnel or an HTTPS proxy only")
    return replace(
        settings, host=options.host, port=options.port, token=token, store=options.store, device=options.device
    )


def _listen(settings: Settings) -> socket.socket:
    """A socket at the address; taken before anything is started."""
    host, port = settings.host, settings.port
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, socket.SOCK_STREAM)
        if os.name != "nt":  # there it would let two programs listen at one address
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(128)
    except (OSError, OverflowError) as error:
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            reason = (
                "something listens there already, another workbench perhaps; open that one, or choose another --port"
            )
        else:
            reason = f"cannot be listened on ({getattr(error, 'strerror', None) or error}); choose another"
        raise WrongUse(f"--host {host} --port {port}: {reason}") from error
    return listening


def _address(settings: Settings, listening: socket.socket) -> str:
    """What the user opens, with the token where one is asked for."""
    host = listening.getsockname()[0]
    if host in ("0.0.0.0", "::"):  # noqa: S104 - all of this computer's addresses: the name that others know it by
        host = socket.gethostname()
    host = f"[{host}]" if ":" in host else host
    token = f"?token={settings.token}" if settings.token else ""
    return f"http://{host}:{listening.getsockname()[1]}/{token}"


def _has_screen() -> bool:
    """Whether a browser can be shown; without a screen one for terminals would take this one."""
    return sys.platform != "linux" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
