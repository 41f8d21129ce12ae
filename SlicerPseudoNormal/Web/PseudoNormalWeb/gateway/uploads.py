"""Files from the user's computer: streamed to disk, whole or not at all."""

from __future__ import annotations

import asyncio
import errno
import os
import re
import secrets
import shutil
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

BLOCK = 1 << 20
KEPT_FREE = 256 << 20  # of the disk, for everything else that goes on
DEEPEST = 32
_UPLOAD = re.compile(r"[A-Za-z0-9_-]{1,64}")
_NO_NAME = re.compile(r'[\\\x00-\x1f\x7f]|[<>:"|?*]' if os.name == "nt" else r"[\\\x00-\x1f\x7f]")
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class Refused(Exception):  # noqa: N818 - read as what it is
    """An upload that is not taken; ``str(error)`` is one line.

    :param status: of HTTP.
    """

    def __init__(self, status: int, line: str) -> None:
        super().__init__(line)
        self.status = status


def place(folder: Path, upload: str, relative: str) -> Path:
    """Where a file of an upload belongs.

    :param folder: the window's; nothing outside it is ever named.
    :param upload: the page's name for what was dropped together.
    :param relative: path within that, with ``/``.
    :raises Refused: it would lie elsewhere, or has a name that no file can have.
    """
    parts = relative.split("/")
    if not _UPLOAD.fullmatch(upload) or len(parts) > DEEPEST or not all(_is_name(part) for part in parts):
        raise Refused(400, f"{relative!r} is no name for a file of an upload; rename it and choose it again")
    return folder.joinpath(upload, *parts)


def _is_name(part: str) -> bool:
    try:
        size = len(part.encode())
    except UnicodeEncodeError:
        return False
    return 0 < size <= 255 and part not in (".", "..") and not _NO_NAME.search(part)


async def receive(stream: AsyncIterator[bytes], target: Path, announced: int | None, most_bytes: int) -> int:
    """Write a stream to a file, which is there only once all has arrived.

    :param announced: bytes that will come, where that is known.
    :returns: how many came.
    :raises Refused: it is too large, or the disk is full.
    """
    _check(target, announced or 0, most_bytes)
    part = target.parent / f".{secrets.token_hex(8)}.part"
    try:
        await asyncio.to_thread(target.parent.mkdir, parents=True, exist_ok=True)
        _check_room(target, announced or 0)
        with part.open("xb") as file:
            size = 0
            async for block in _blocks(stream):
                size += len(block)
                _check(target, size, most_bytes)
                if announced is None:
                    _check_room(target, len(block))
                await asyncio.to_thread(file.write, block)
            await asyncio.to_thread(_to_disk, file)
        part.replace(target)
    except OSError as error:
        if error.errno in _FULL:
            raise _full(target) from error
        raise Refused(500, f"{target.name}: cannot be written ({error.strerror or error})") from error
    finally:
        with suppress(OSError):
            part.unlink()
    return size


async def _blocks(stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same in larger pieces: each costs a change of threads."""
    gathered = bytearray()
    async for chunk in stream:
        gathered += chunk
        if len(gathered) >= BLOCK:
            yield bytes(gathered)
            gathered.clear()
    if gathered:
        yield bytes(gathered)


def _to_disk(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _check(target: Path, size: int, most_bytes: int) -> None:
    if size > most_bytes:
        raise Refused(413, f"{target.name}: larger than {most_bytes >> 20} MB, which is the most that the engine takes")


def _check_room(target: Path, size: int) -> None:
    if shutil.disk_usage(target.parent).free - size < KEPT_FREE:
        raise _full(target)


def _full(target: Path) -> Refused:
    return Refused(507, f"{target.name}: the disk of the computer that runs the workbench is full; free some space")
