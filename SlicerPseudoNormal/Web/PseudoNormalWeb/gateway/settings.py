"""What is chosen when the workbench is started."""

from __future__ import annotations

import ipaddress
import sys
from dataclasses import dataclass, field
from pathlib import Path

TOKEN_VARIABLE = "PSEUDONORMAL_WEB_TOKEN"  # noqa: S105 - the variable's name, not a token
SHORTEST_TOKEN = 16


class WrongUse(Exception):  # noqa: N818 - read as what it is
    """What was asked for cannot be had; ``str(error)`` is one line that says what to do."""


@dataclass(frozen=True)
class Settings:
    """How the gateway runs.

    :param host: address to listen on.
    :param port: 0 takes a free one.
    :param token: what whoever opens the workbench must show; empty: nothing, on the loopback only.
    :param data: the user's folder for logs, journals and what is uploaded.
    :param store: folder of the case store; None: the engine serves none.
    :param device: the engine's: ``auto``, ``cpu``, ``cuda``, ``cuda:1``...
    :param engine: the command that starts ``pseudonormal``.
    :param window: the command that starts a window.
    :param most_windows: windows at a time; where one more is wanted, the one unused for longest is ended.
    :param idle_s: seconds after which a window that no tab shows any more is ended.
    :param unseen_s: the same where no tab has ever shown it: a browser that only looked ahead.
    :param spare_after_s: seconds from a window's first sight until the next spare one is started.
    :param most_bytes: of one uploaded file, as the engine has it.
    """

    host: str = "127.0.0.1"
    port: int = 8765
    token: str = field(default="", repr=False)
    data: Path = Path()
    store: Path | None = None
    device: str = "auto"
    engine: tuple[str, ...] = (sys.executable, "-m", "pseudonormal")
    window: tuple[str, ...] = (sys.executable, "-m", "PseudoNormalWeb.window")
    most_windows: int = 8
    idle_s: float = 30 * 60.0
    unseen_s: float = 2 * 60.0
    spare_after_s: float = 5.0
    most_bytes: int = 1024 * 2**20


def is_loopback(host: str) -> bool:
    """Whether an address is reached from this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
