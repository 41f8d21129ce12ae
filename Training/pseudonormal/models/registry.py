"""The model registry: every version of a lab's models, which one is current, and why.

A name's folder holds a bundle for each version (``VERSION/NAME``) and ``registry.json``. Versions are only ever added;
what is current follows from the log of promotions and rollbacks, which only grows, too. Decision 0006 says why.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from pseudonormal.errors import InputError
from pseudonormal.models.versions import Entry, entries_in, find, objection, origin, promoted_in
from pseudonormal.scan.atomic import OutputFolder, atomic_file, unwritable

_FILE = "registry.json"
_LOCKED_SECONDS = 60
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class Registry:
    """The registry in a folder. Threads and processes may use it at once.

    Every change is one file written aside, forced to disk and renamed, under a lock that dies with its process: who
    is killed has changed all or nothing.

    :param folder: None: :func:`registry_folder`. Made when something is first registered.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = registry_folder() if folder is None else folder

    def names(self) -> list[str]:
        """Every model that has versions."""
        return sorted(path.parent.name for path in self.folder.glob(f"*/{_FILE}"))

    def entries(self, name: str) -> list[Entry]:
        """All versions of a model in the order in which they were registered; none when it is not known.

        :raises InputError: the registry is damaged.
        """
        return entries_in(self._read(name))

    def current(self, name: str) -> Entry | None:
        """The version that the plain name means; None when the model is not known here.

        :raises InputError: the registry is damaged.
        """
        return next((entry for entry in self.entries(name) if entry.state == "current"), None)

    def entry(self, name: str, version: str) -> Entry:
        """One version.

        :raises InputError: there is none, or the registry is damaged.
        """
        return find(self.entries(name), name, version)

    def bundle(self, name: str, version: str) -> Path:
        """The bundle's folder of a version, retired or not. It is called as the model is."""
        return self.folder / name / version / name

    def promoted(self) -> dict[str, Path]:
        """The bundle that each plain name means, where a retrained version is current.

        A version that came from elsewhere stands for the bundle that is found without the registry.
        """
        current = [self.current(name) for name in self.names()]
        return {
            entry.name: self.bundle(entry.name, entry.version)
            for entry in current
            if entry is not None and entry.parent is not None
        }

    def reserve(self, name: str, parent: str) -> str:
        """A version for a model that is to be trained from this one: ``2`` -> ``2.1``, ``2.1`` -> ``2.2``.

        Nobody else gets it, also when nothing comes of the training.

        :raises InputError: the parent is not registered, or the registry cannot be written.
        """
        with self._changing(name) as content:
            first = origin(entries_in(content), name, parent)
            taken = {*content["reserved"], *(entry["version"] for entry in content["entries"])}
            numbers = iter(range(1, len(taken) + 2))
            version = next(v for v in (f"{first}.{number}" for number in numbers) if v not in taken)
            content["reserved"].append(version)
        return version

    def register(self, bundle: Path, entry: Entry) -> Entry:
        """Keep a copy of a bundle as a version.

        One without a parent becomes current at once, unless a retrained one is. A version that is registered already
        is left as it is, so that who was interrupted can say it again.

        :param bundle: the folder; checked by whoever made or loaded it.
        :param entry: its ``fingerprint``, ``created`` and ``state`` are set here.
        :returns: the entry as it stands now.
        :raises InputError: another bundle has this version, or the registry cannot be written.
        """
        for text in (entry.name, entry.version):
            if not _NAME.fullmatch(text):
                raise InputError(f"'{text}' cannot name a model or a version: use letters, digits, '.', '_' and '-'")
        entry = replace(entry, fingerprint=fingerprint_of(bundle), created=_now())
        with self._changing(entry.name, make=True) as content:
            entries = entries_in(content)
            known = next((one for one in entries if one.version == entry.version), None)
            if known is None:
                if entry.parent is not None:
                    find(entries, entry.name, entry.parent)
                _copy(bundle, self.bundle(entry.name, entry.version))
                stated = entry.as_json()
                del stated["state"]
                content["entries"].append(stated)
                retrained = any(one.state == "current" and one.parent is not None for one in entries)
                if entry.parent is None and not retrained:
                    _note(content, "promote", entry.version)
            elif known.fingerprint != entry.fingerprint:
                raise InputError(f"{entry.name}:{entry.version}: another model has this version: give it another one")
        return self.entry(entry.name, entry.version)

    def measured(
        self, name: str, version: str, metrics: Mapping[str, float], cases: Sequence[Mapping[str, Any]]
    ) -> None:
        """Keep newer numbers of a version: evaluation cases may have been added since it was judged.

        :raises InputError: there is no such version, or the registry cannot be written.
        """
        with self._changing(name) as content:
            find(entries_in(content), name, version)
            stated = next(entry for entry in content["entries"] if entry["version"] == version)
            stated.update(metrics=dict(metrics), cases=[dict(row) for row in cases])

    def promote(self, name: str, version: str, force: bool = False) -> Entry:
        """Make a version what the plain name means.

        :param force: also when it is worse than the current one, or nobody can tell.
        :raises InputError: there is no such version; it is current already; it is worse than the current one beyond
            the confidence interval, or it cannot be told whether it is, and ``force`` is off.
        """
        with self._changing(name) as content:
            entries = entries_in(content)
            entry = find(entries, name, version)
            if entry.state == "current":
                raise InputError(f"{name}:{version}: is the current version already")
            before = next((one for one in entries if one.state == "current"), None)
            against = None if before is None else objection(entry, before)
            if against is not None and not force:
                raise InputError(f"{name}:{version}: {against}; give --force to promote it nevertheless")
            _note(content, "promote", version, forced=against is not None)
        return self.entry(name, version)

    def rollback(self, name: str) -> Entry:
        """Go back to the version that was current before the present one.

        :returns: the version that is current now.
        :raises InputError: there was none before, or the model is not known.
        """
        with self._changing(name) as content:
            stack = promoted_in(content)
            if len(stack) < 2:
                raise InputError(f"{name}: no version was current before this one: there is nothing to go back to")
            _note(content, "rollback", stack[-2])
        return self.entry(name, stack[-2])

    @contextmanager
    def _changing(self, name: str, *, make: bool = False) -> Iterator[dict[str, Any]]:
        """A name's content to change; written when the block ends without an exception."""
        folder = self.folder / name
        if not (make or folder.is_dir()):
            raise InputError(f"model '{name}' has no versions in the registry: pseudonormal retrain makes the first")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with FileLock(folder / ".lock", timeout=_LOCKED_SECONDS):
                for left in folder.glob(".*.part"):  # only who holds the lock writes here: its maker is dead
                    left.unlink()
                content = self._read(name)
                yield content
                with atomic_file(folder / _FILE) as stream:
                    stream.write((json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode())
        except Timeout as error:
            raise InputError(f"{folder}: another program has held it for {_LOCKED_SECONDS} s; try again") from error
        except OSError as error:
            raise unwritable(folder, error) from error

    def _read(self, name: str) -> dict[str, Any]:
        path = self.folder / name / _FILE
        try:
            content = dict(json.loads(path.read_text(encoding="utf-8")))
            entries_in(content)
            _ = list(content["reserved"])
        except (FileNotFoundError, NotADirectoryError):
            return {"entries": [], "reserved": [], "log": []}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
            raise InputError(f"{path}: is damaged or cannot be read; restore it from a backup") from error
        return content


def fingerprint_of(bundle: Path) -> str:
    """SHA-256 of a bundle's metadata, which hold the hashes of its weights and its calibration.

    :raises InputError: the folder holds no bundle.
    """
    path = bundle / "configs" / "metadata.json"
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); import the model again") from error


def data_folder() -> Path:
    """Where a user's models and their versions are kept: ``$XDG_DATA_HOME/pseudonormal``."""
    return Path(os.environ.get("XDG_DATA_HOME", Path.home() / ".local" / "share")) / "pseudonormal"


def registry_folder() -> Path:
    """Where the registry is when nobody says."""
    return data_folder() / "registry"


def _note(content: dict[str, Any], what: str, version: str, *, forced: bool = False) -> None:
    content["log"].append({"when": _now(), "what": what, "version": version, "forced": forced})


def _copy(bundle: Path, final: Path) -> None:
    """A bundle's files, forced to disk before the folder takes its name."""
    with OutputFolder(final) as folder:
        for path in sorted(bundle.rglob("*")):
            target = folder / path.relative_to(bundle)
            if path.is_file():
                target.parent.mkdir(parents=True, exist_ok=True)
                with path.open("rb") as source, target.open("wb") as copy:
                    shutil.copyfileobj(source, copy)
                    copy.flush()
                    os.fsync(copy.fileno())


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
