"""The folder of one running server, and what killed ones left behind."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import time
from pathlib import Path

from pseudonormal.errors import InputError

STALE_SECONDS = 600.0
_NAME = re.compile(r"session-[0-9a-f]{32}")


def open_session(root: Path) -> Path:
    """Make a folder that is this server's alone; others may use the same root.

    :raises InputError: the root cannot be written to.
    """
    folder = root / f"session-{secrets.token_hex(16)}"
    try:
        root.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700)  # scans are nobody else's business
        for name in ("volumes", "jobs"):
            (folder / name).mkdir()
    except OSError as error:
        raise InputError(f"{root}: cannot be written ({error.strerror}); choose another folder with --data") from error
    sweep_sessions(folder)
    return folder


def sweep_sessions(own: Path) -> None:
    """Say that this server is alive, and remove the folders of those that have not said so for a while.

    :param own: this server's folder.
    """
    os.utime(own)
    for folder in own.parent.iterdir():
        if _NAME.fullmatch(folder.name) and folder != own and time.time() - _last_sign(folder) > STALE_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)


def _last_sign(folder: Path) -> float:
    try:
        return folder.stat().st_mtime
    except OSError:  # another server was quicker to remove it
        return time.time()
