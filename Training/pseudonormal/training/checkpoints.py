"""Checkpoints of a run: whole or not at all, and never without the one before."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from pseudonormal.errors import InputError
from pseudonormal.scan.atomic import atomic_file

KIND = b"PseudoNormal checkpoint 2\n"  # begins the file; then the SHA-256 of what follows, as torch writes it
_DIGEST_BYTES = hashlib.sha256().digest_size
_OLDER = b"PK"  # before there was a checksum, the file was as torch writes it

Content = dict[str, Any]


class Checkpoints:
    """``checkpoint.pt`` of a run, and ``checkpoint.previous.pt``, the one before it.

    Both hold tensors and numbers only. A checkpoint takes its name when it is complete and on disk; what is damaged
    later is told by its checksum and never loaded.
    """

    def __init__(self, run: Path) -> None:
        """Look into a run's folder; nothing is read or written yet."""
        self._run = run
        self._latest, self._previous = run / "checkpoint.pt", run / "checkpoint.previous.pt"

    def exist(self) -> bool:
        """Whether the folder holds a run that was begun."""
        return self._latest.exists() or self._previous.exists()

    def save(self, content: Content) -> None:
        """Write a checkpoint; the one so far becomes the one before.

        :raises InputError: the folder cannot be written or the disk is full; what was there is there yet.
        """
        buffer = io.BytesIO()
        torch.save(content, buffer)
        coming = self._run / "checkpoint.next.pt"
        with atomic_file(coming) as file:
            file.write(KIND + hashlib.sha256(buffer.getbuffer()).digest())
            file.write(buffer.getbuffer())
        if self._latest.exists():
            self._latest.replace(self._previous)
        coming.replace(self._latest)

    def load(self, warn: Callable[[str], None]) -> Content | None:
        """The newest whole checkpoint, on the processor; None if none was written yet.

        :param warn: told in one line when the newest is damaged and the one before it is taken.
        :raises InputError: all are damaged, or were written by an older version.
        """
        self._tidy()
        there = [path for path in (self._latest, self._previous) if path.exists()]
        for path in there:
            content = _read(path)
            if content is not None:
                return content
            if path != there[-1]:
                warn(f"{path}: is damaged; going on from the checkpoint before it")
                path.unlink()  # it may not take the place of the one before
        if there:
            raise InputError(f"{there[-1]}: is damaged: begin the run anew in another folder")
        return None

    def _tidy(self) -> None:
        """Remove what a process that was killed had not finished."""
        for unfinished in [*self._run.glob(".*.part"), self._run / "checkpoint.next.pt"]:
            unfinished.unlink(missing_ok=True)


def _read(path: Path) -> Content | None:
    """A checkpoint's content, or None if it is damaged."""
    try:
        data = path.read_bytes()
    except OSError:  # the disk cannot read it
        return None
    if data.startswith(_OLDER):
        raise InputError(f"{path}: was begun by an older version: begin the run anew in another folder")
    digest, payload = data[len(KIND) :][:_DIGEST_BYTES], data[len(KIND) + _DIGEST_BYTES :]
    if not data.startswith(KIND) or hashlib.sha256(payload).digest() != digest:
        return None
    content: Content = torch.load(io.BytesIO(payload), map_location="cpu", weights_only=True)
    return content
