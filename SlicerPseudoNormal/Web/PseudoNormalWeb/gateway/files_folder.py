"""Where uploads lie while the gateway runs, and what killed ones left behind."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from PseudoNormalWeb.gateway.settings import WrongUse


@contextmanager
def files_folder(root: Path) -> Iterator[Path]:
    """A folder that is this gateway's alone while the block runs; those of gateways that are gone are removed.

    :param root: several gateways may share it; made if missing.
    :raises WrongUse: it cannot be written.
    """
    try:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        own = root / secrets.token_hex(8)
        lock = FileLock(own.with_suffix(".lock"))
        lock.acquire()
        own.mkdir(mode=0o700)
    except OSError as error:
        raise WrongUse(f"{root}: cannot be written ({error.strerror}); make room there or change the rights") from error
    _sweep(root, own)
    try:
        yield own
    finally:
        shutil.rmtree(own, ignore_errors=True)
        lock.release()
        with suppress(OSError):
            own.with_suffix(".lock").unlink(missing_ok=True)


def _sweep(root: Path, own: Path) -> None:
    """Remove the folders whose locks nobody holds; the system lets go of a dead process's."""
    for lock_file in root.glob("*.lock"):
        folder = lock_file.with_suffix("")
        if folder == own:
            continue
        with suppress(Timeout, OSError), FileLock(lock_file, blocking=False):
            shutil.rmtree(folder, ignore_errors=True)
            lock_file.unlink(missing_ok=True)
