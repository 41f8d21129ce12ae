"""Uploaded volumes: files with names of the server's own making, kept for a while."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pseudonormal.server import kinds
from pseudonormal.server.errors import NotFound, Unfit, unwritable

_UNKNOWN = "there is no such volume on the engine, or not any more; send it again"


@dataclass(frozen=True)
class Volume:
    """One upload.

    :param name: the server's name for it.
    """

    id: str
    name: str
    bytes: int
    path: Path
    received: float


class Volumes:
    """The uploads of one server.

    What clients say is only looked up, never made part of a path. Everything is known in memory alone: a server that
    starts again knows none.

    :param folder: existing; nobody else writes there.
    """

    def __init__(
        self, folder: Path, keep_seconds: float, keep_count: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._folder = folder
        self._keep_seconds = keep_seconds
        self._keep_count = keep_count
        self._clock = clock
        self._volumes: dict[str, Volume] = {}

    async def receive(self, name: str, stream: AsyncIterator[bytes]) -> Volume:
        """Keep an upload; nothing stays of one that does not arrive whole.

        :param name: the client's file name, of which only the suffix counts.
        :raises Unfit: it is not of a kind that is taken.
        :raises DiskFull: there is no room for it.
        """
        suffix = kinds.suffix_of(name)
        if suffix is None:
            raise Unfit(f"name: does not end in one of {', '.join(kinds.SUFFIXES)}; export the volume as one of them")
        identity = secrets.token_hex(16)
        path = self._folder / f"{identity}{suffix}"
        part = path.with_suffix(".part")
        try:
            with part.open("xb") as file:
                size = await _write(file, suffix, stream)
            part.replace(path)
        except OSError as error:
            raise unwritable(error) from error
        finally:
            part.unlink(missing_ok=True)
        volume = Volume(identity, path.name, size, path, self._clock())
        self._volumes[identity] = volume
        self.sweep()
        return volume

    def path(self, upload_id: str) -> Path:
        """The file of an upload; it may go any time, so use it now or link it.

        :raises NotFound: there is none of that id.
        """
        if upload_id not in self._volumes:
            raise NotFound(_UNKNOWN)
        return self._volumes[upload_id].path

    def remove(self, upload_id: str) -> None:
        """Forget an upload; jobs that use it have a link of their own.

        :raises NotFound: there is none of that id.
        """
        self.path(upload_id).unlink(missing_ok=True)
        self._volumes.pop(upload_id, None)

    def sweep(self) -> None:
        """Remove what is too old or too much, oldest first."""
        ordered = list(self._volumes.values())
        for number, volume in enumerate(ordered):
            too_many = len(ordered) - number > self._keep_count
            if too_many or self._clock() - volume.received > self._keep_seconds:
                self.remove(volume.id)


async def _write(file: BinaryIO, suffix: str, stream: AsyncIterator[bytes]) -> int:
    """Write a stream to a file, in large blocks; its beginning is looked at first.

    :returns: how many bytes there were.
    """
    size, block = 0, bytearray()

    async def put() -> None:
        nonlocal size
        if size == 0 and (fault := kinds.fault(suffix, bytes(block))):
            raise Unfit(fault)
        await asyncio.to_thread(file.write, bytes(block))
        size += len(block)
        block.clear()

    async for chunk in stream:
        block += chunk
        if len(block) >= kinds.HEAD_BYTES:
            await put()
    if block or size == 0:
        await put()
    return size
