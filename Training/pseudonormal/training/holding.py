"""One training at a time in a folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from pseudonormal.errors import InputError
from pseudonormal.scan.atomic import unwritable

LOCK = ".lock"


@contextmanager
def held(run: Path) -> Iterator[None]:
    """Keep other processes from training in a folder: two would overwrite each other's checkpoints and log.

    A process that dies lets go of it, however it dies. A folder that was made for nothing goes again.

    :raises InputError: another process trains there, or it cannot be written.
    """
    lock, there = FileLock(run / LOCK, blocking=False), run.exists()
    try:
        run.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        raise InputError(
            f"{run}: another process is training there: wait until that has ended, or give another folder"
        ) from None
    except OSError as error:
        raise unwritable(run, error) from error
    try:
        yield
    finally:
        if {path.name for path in run.iterdir()} <= {LOCK}:
            (run / LOCK).unlink(missing_ok=True)
            if not there:
                run.rmdir()
        lock.release()
