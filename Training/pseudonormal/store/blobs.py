"""Files named after the SHA-256 of their bytes: ``blobs/ab/abcdef….nii.gz``."""

from __future__ import annotations

import errno
import hashlib
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pseudonormal.errors import InputError
from pseudonormal.scan.atomic import atomic_file

SUFFIX = ".nii.gz"
_STALE_SECONDS = 24 * 3600.0
_CHUNK = 1 << 20
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

Write = Callable[[Path], None]


class Blobs:
    """The files of a store.

    :param folder: the store's.
    :raises InputError: the folders cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._root = folder / "blobs"
        self._incoming = folder / "incoming"
        with _in_words(folder):
            self._root.mkdir(parents=True, exist_ok=True)
            self._incoming.mkdir(exist_ok=True)
        self._sweep()

    def add(self, write: Write) -> str:
        """Take a file into the store. It is whole and on disk before anyone learns its name.

        :param write: writes the file to a path it is given, and nothing else.
        :returns: the SHA-256 to find it by.
        :raises InputError: the disk is full or the store must not be written.
        """
        with _in_words(self._folder), self._finished(write) as finished:
            sha256 = hash_of(finished)
            final = self.path(sha256)
            # Other contents under this name are damage, which is put right.
            if not final.is_file() or hash_of(final) != sha256:
                final.parent.mkdir(exist_ok=True)
                with atomic_file(final) as target, finished.open("rb") as source:
                    shutil.copyfileobj(source, target, _CHUNK)
            return sha256

    def hash(self, write: Write) -> str:
        """The SHA-256 that :meth:`add` would return; nothing is taken.

        :raises InputError: the disk is full or the store must not be written.
        """
        with _in_words(self._folder), self._finished(write) as finished:
            return hash_of(finished)

    def path(self, sha256: str) -> Path:
        """Where the file of a hash lies."""
        return self._root / sha256[:2] / f"{sha256}{SUFFIX}"

    def files(self) -> list[Path]:
        """All files there are, unfinished ones included."""
        return sorted(path for path in self._root.rglob("*") if path.is_file())

    def left_behind(self) -> list[Path]:
        """What processes that ended early left among the incoming files; also what others are writing now."""
        return sorted(self._incoming.iterdir())

    @contextmanager
    def _finished(self, write: Write) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(dir=self._incoming) as room:
            path = Path(room) / f"new{SUFFIX}"
            write(path)
            yield path

    def _sweep(self) -> None:
        """Remove what was left behind more than a day ago; younger files may be someone's work under way."""
        for entry in (*self._incoming.iterdir(), *self._root.glob("??/.*.part")):
            try:
                if time.time() - entry.stat().st_mtime > _STALE_SECONDS:
                    shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
            except OSError:  # another process was faster
                continue


def hash_of(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    sha256 = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            sha256.update(chunk)
    return sha256.hexdigest()


@contextmanager
def _in_words(folder: Path) -> Iterator[None]:
    """Say of a failure to write that it is the store which has no room: users of a store know no output folder."""
    try:
        yield
    except (OSError, InputError) as error:
        cause = error if isinstance(error, OSError) else error.__cause__
        if not isinstance(cause, OSError):
            raise
        words = f"the case store cannot be written ({cause.strerror or cause}); change the rights or choose another one"
        if cause.errno in _FULL:
            words = "the disk is full; free some space"
        raise InputError(f"{folder}: {words}") from error
