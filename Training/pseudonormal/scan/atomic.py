"""Files and folders that appear whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from pseudonormal.errors import InputError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)


@contextmanager
def atomic_file(path: Path) -> Iterator[BinaryIO]:
    """A binary file to write to, which takes its name only when it is complete and on disk.

    It is written under a hidden name in the same folder, synced and renamed; on any exception, Ctrl-C included, it is
    removed and an earlier file of that name stays as it was.

    :raises InputError: when the folder cannot be written or the disk is full.
    """
    temporary = path.with_name(f".{secrets.token_hex(6)}.part")
    try:
        try:
            with temporary.open("xb") as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            temporary.replace(path)
            _sync_folder(path.parent)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise unwritable(path.parent, error) from error


class OutputFolder:
    """A folder of results that appears only when all of them are there.

    ``with OutputFolder(out / case) as folder:`` gives a hidden folder beside the final one to write into. At the end
    it takes the final name, and an earlier result of that name is replaced; files of the user's own in there (names
    that the new result does not have) are kept. On any exception, Ctrl-C included, the hidden folder is removed and an
    earlier result stays as it was.

    :raises InputError: on entering when the place cannot be written; on leaving when the disk is full.
    """

    def __init__(self, final: Path) -> None:
        self.final = final
        self._temporary = final.with_name(f".{secrets.token_hex(6)}.part")
        self._made: list[Path] = []

    def __enter__(self) -> Path:
        try:
            if self.final.exists() and not self.final.is_dir():
                raise InputError(f"{self.final}: is a file where a folder is needed; choose another output folder")
            # Folders made on the way are removed again if nothing comes of it.
            self._made = [folder for folder in self.final.parents if not folder.exists()]
            self._temporary.mkdir(parents=True)
        except OSError as error:
            self._remove()
            raise unwritable(self.final.parent, error) from error
        return self._temporary

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        try:
            if error is None:
                self._commit()
        except OSError as failed:
            raise unwritable(self.final, failed) from failed
        finally:
            self._remove()
        if isinstance(error, OSError) and error.errno in _FULL:
            raise unwritable(self.final.parent, error) from error

    def _commit(self) -> None:
        """Two renames; if the second fails the first is undone."""
        earlier = self.final.with_name(f".{secrets.token_hex(6)}.old")
        try:
            self.final.rename(earlier)
        except FileNotFoundError:
            self._temporary.rename(self.final)
        else:
            try:
                self._temporary.rename(self.final)
            except BaseException:
                earlier.rename(self.final)
                raise
            for entry in earlier.iterdir():
                if not (self.final / entry.name).exists():
                    entry.rename(self.final / entry.name)
            shutil.rmtree(earlier, ignore_errors=True)
        _sync_folder(self.final.parent)

    def _remove(self) -> None:
        shutil.rmtree(self._temporary, ignore_errors=True)
        for folder in self._made:
            try:
                folder.rmdir()
            except OSError:  # not empty: something came of it
                return


def unwritable(folder: Path, error: OSError) -> InputError:
    """What to tell the user when the system refuses to write into a folder."""
    if error.errno in _FULL:
        return InputError(f"{folder}: the disk is full; free some space or choose another output folder with -o")
    reason = error.strerror or str(error)
    if error.errno in _FORBIDDEN:
        reason = f"no right to write there ({reason})"
    return InputError(f"{folder}: cannot be written, {reason}; choose another output folder with -o")


def _sync_folder(folder: Path) -> None:
    """Make a rename last through a power cut, where the system can open folders (Windows cannot)."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError:  # some network file systems refuse; the rename itself has happened
        pass
    finally:
        os.close(handle)
