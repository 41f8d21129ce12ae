"""Where results go: checked before any work begins."""

from __future__ import annotations

import re
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from pseudonormal.errors import InputError
from pseudonormal.scan.atomic import unwritable

_LEFT_BEHIND = re.compile(r"\.[0-9a-f]{12}\.part")
_STALE_SECONDS = 24 * 3600.0


def check_writable(out: Path) -> None:
    """Make sure that something can be written into a folder that may not exist yet.

    :raises InputError: it cannot.
    """
    out = out.absolute()
    try:
        existing = next(folder for folder in (out, *out.parents) if folder.exists())
        if not existing.is_dir():
            raise InputError(f"{existing}: is a file where a folder is needed; choose another output folder with -o")
        with tempfile.TemporaryDirectory(prefix=".pseudonormal-", dir=existing):
            pass
    except OSError as error:
        raise unwritable(out, error) from error


def sweep(out: Path) -> None:
    """Remove hidden unfinished results of runs that were killed more than a day ago."""
    for entry in out.glob(".*.part"):
        if _LEFT_BEHIND.fullmatch(entry.name) and time.time() - entry.stat().st_mtime > _STALE_SECONDS:
            shutil.rmtree(entry, ignore_errors=True) if entry.is_dir() else entry.unlink(missing_ok=True)


def name_cases(named: Sequence[tuple[Path, str]], out: Path) -> dict[str, Path]:
    """Give each input a case name of its own; inputs of one name are told apart by the folders they lie in.

    :param named: inputs with the names they would have alone.
    :returns: inputs by case name, in order.
    :raises InputError: an input is given twice, two cannot be told apart, or results would land in an input folder.
    """
    cases: dict[str, Path] = {}
    taken: dict[str, Path] = {}
    alone = [name.casefold() for _, name in named]
    for source, name in named:
        parents = [folder.name for folder in source.resolve().parents if folder.name]
        while name.casefold() in taken or (alone.count(name.casefold()) > 1 and parents):
            other = taken.get(name.casefold())
            if other is not None and other.resolve() == source.resolve():
                raise InputError(f"{source}: is given twice; give each input once")
            if other is not None and (not parents or other.resolve().parent == source.resolve().parent):
                raise InputError(f"{source}: has the same case name as {other}; give them in calls of their own")
            name = f"{parents.pop(0)}_{name}"
        if source.is_dir() and (out / name).resolve() == source.resolve():
            raise InputError(f"{source}: the results would be written into the folder that is read; give another -o")
        cases[name] = source
        taken[name.casefold()] = source
    return cases
