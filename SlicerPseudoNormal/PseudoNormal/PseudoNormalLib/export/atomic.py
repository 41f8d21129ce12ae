"""Files and folders that appear whole or not at all."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PseudoNormalLib.export.errors import ExportError, unwritable
from PseudoNormalLib.i18n import _

_LEFT_BEHIND = re.compile(r"\.[0-9a-f]{12}\.part.*")
_STALE_S = 24 * 3600.0


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A name to write to; what is there at the end takes the final name, on disk and complete.

    The name is hidden, in the same folder and with the same endings, by which writers choose the format. On any
    exception it is removed, and an earlier file of the final name stays as it was.

    :param path: the final name; an earlier file is replaced, for dialogs ask about that themselves.
    :raises OSError: the folder cannot be written or the disk is full.
    """
    temporary = path.with_name(f".{secrets.token_hex(6)}.part{''.join(path.suffixes[-2:])}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        _sync(temporary)
        temporary.replace(path)
        _sync(path.parent)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """A :func:`whole_file` for people, who are told in one line why it cannot be written.

    :raises ExportError: the folder cannot be written or the disk is full.
    """
    try:
        with whole_file(path) as temporary:
            yield temporary
    except OSError as error:
        raise unwritable(path, error) from error


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A hidden folder to write into, which takes its name when everything is in it and on disk.

    On any exception it is removed.

    :param path: the final name. An empty folder of that name may be there; one with something in it is refused.
    :raises ExportError: something is there already, the place cannot be written or the disk is full.
    """
    temporary = path.with_name(f".{secrets.token_hex(6)}.part")
    try:
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise ExportError(
                _("{path}: is there already and nothing is overwritten; choose another name or remove it").format(
                    path=path
                )
            )
        try:
            temporary.mkdir(parents=True)
            yield temporary
            for entry in temporary.rglob("*"):
                _sync(entry)
            _sync(temporary)
            if path.exists():  # empty, and not every system renames onto a folder
                path.rmdir()
            temporary.rename(path)
            _sync(path.parent)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
    except OSError as error:
        raise unwritable(path, error) from error


def sweep(folder: Path) -> None:
    """Remove what was being written into a folder more than a day ago by a process that was killed."""
    for entry in folder.glob(".*.part*"):
        if _LEFT_BEHIND.fullmatch(entry.name) and is_stale(entry):
            shutil.rmtree(entry, ignore_errors=True) if entry.is_dir() else entry.unlink(missing_ok=True)


def is_stale(entry: Path) -> bool:
    """Whether nobody has written it for more than a day."""
    try:
        return time.time() - entry.stat().st_mtime > _STALE_S
    except FileNotFoundError:  # it has just been finished
        return False


def _sync(path: Path) -> None:
    """Make what was written last through a power cut, where the system can open folders (Windows cannot)."""
    if os.name == "nt" and path.is_dir():
        return
    handle = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError:  # some network file systems refuse folders; the rename itself has happened
        if path.is_file():
            raise
    finally:
        os.close(handle)
