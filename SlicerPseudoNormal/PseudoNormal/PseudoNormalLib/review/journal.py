"""Work that the store does not have yet, in files on this computer; a kill at any moment leaves whole ones only."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from zipfile import BadZipFile

import numpy as np

from PseudoNormalLib.export.atomic import is_stale, sweep, whole_file

SUFFIX = ".npz"


@dataclass(frozen=True, eq=False)
class Entry:
    """A mask on its way into the store.

    :param case: the case's id; drawn at random, so the same in no other store.
    :param sitting: names the time during which the case was open; the entry is replaced as long as that lasts.
    :param annotator: who edited.
    :param parent: the revision that the mask was made from, None where the case had none.
    :param state: what it shall become: ``draft``, ``accepted``, ``needs_second_reader`` or ``rejected``.
    :param comment: goes with the revision.
    :param mask: (D, H, W) bool on the image's grid.
    :param matrix: (4, 4) of that grid, from voxel index to RAS mm.
    :param distrusted: (D, H, W) bool, where nobody shall trust the mask; None where all of it counts.
    """

    case: str
    sitting: str
    annotator: str
    parent: str | None
    state: str
    comment: str
    mask: np.ndarray
    matrix: np.ndarray
    distrusted: np.ndarray | None = None


class Journal:
    """The entries in one folder.

    A sitting holds a lock as long as its process lives, whatever ends it. So another window knows which entries were
    left behind and which still belong to somebody, and may tell the store which leases are over.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: dict[str, BinaryIO] = {}

    def begin(self) -> str:
        """Begin a sitting.

        :returns: its name.
        :raises OSError: the folder cannot be written.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        sweep(self._folder)
        self._forget_old_sittings()
        sitting = secrets.token_hex(8)
        stream = self._lock_path(sitting).open("xb")
        _lock(stream)
        self._held[sitting] = stream
        return sitting

    def end(self, sitting: str, *, given_back: bool = True) -> None:
        """End a sitting; its entry stays, if it has one.

        :param given_back: whether the store knows that it is over; if not, :meth:`ended` names it for a day.
        """
        self._held.pop(sitting).close()
        if given_back:
            self._lock_path(sitting).unlink(missing_ok=True)

    def ended(self) -> list[str]:
        """Sittings on this computer that ended without a word to the store, or left an entry."""
        left = {path.stem for pattern in ("*.lock", f"*{SUFFIX}") for path in self._folder.glob(f"[!.]{pattern}")}
        return sorted(sitting for sitting in left if self._is_over(sitting))

    def put(self, entry: Entry) -> None:
        """Keep an entry in place of an earlier one of its sitting; on disk when this returns.

        :raises OSError: the folder cannot be written or the disk is full; an earlier entry stays.
        """
        header = {name: getattr(entry, name) for name in ("case", "sitting", "annotator", "parent", "state", "comment")}
        masks = {"mask": entry.mask} | ({} if entry.distrusted is None else {"distrusted": entry.distrusted})
        with whole_file(self._path(entry.sitting)) as temporary:
            np.savez_compressed(
                temporary,
                header=np.frombuffer(json.dumps(header).encode(), np.uint8),
                shape=np.array(entry.mask.shape),
                matrix=entry.matrix,
                **{name: np.packbits(mask) for name, mask in masks.items()},
            )

    def remove(self, sitting: str) -> None:
        """Forget a sitting's entry: the store has it."""
        self._path(sitting).unlink(missing_ok=True)

    def left_behind(self, case: str, annotator: str) -> list[Entry]:
        """An annotator's entries for a case whose sitting is over, oldest first."""
        entries = [entry for entry in self._entries() if (entry.case, entry.annotator) == (case, annotator)]
        return [entry for entry in entries if self._is_over(entry.sitting)]

    def owners(self) -> list[tuple[str, str]]:
        """The case and annotator of every entry whose sitting is over, each pair once."""
        pairs = [(entry.case, entry.annotator) for entry in self._entries() if self._is_over(entry.sitting)]
        return list(dict.fromkeys(pairs))

    def _entries(self) -> Iterator[Entry]:
        """All entries, oldest first; files that cannot be read are left alone."""
        written = self._folder.glob(f"[!.]*{SUFFIX}")  # a hidden one is being written, or never was to its end
        for path in sorted(written, key=lambda path: path.stat().st_mtime_ns):
            try:
                yield _read(path)
            except (OSError, EOFError, ValueError, KeyError, TypeError, BadZipFile):
                continue

    def _is_over(self, sitting: str) -> bool:
        if sitting in self._held:
            return False
        try:
            with self._lock_path(sitting).open("r+b") as stream:
                _lock(stream)
        except FileNotFoundError:
            return True
        except OSError:
            return False
        return True

    def _forget_old_sittings(self) -> None:
        """Leases do not last so long, whoever held them."""
        for lock in self._folder.glob("[!.]*.lock"):
            if is_stale(lock) and self._is_over(lock.stem):
                lock.unlink(missing_ok=True)

    def _path(self, sitting: str) -> Path:
        return self._folder / f"{sitting}{SUFFIX}"

    def _lock_path(self, sitting: str) -> Path:
        return self._folder / f"{sitting}.lock"


def _read(path: Path) -> Entry:
    with np.load(path, allow_pickle=False) as stored:
        header: dict[str, Any] = json.loads(stored["header"].tobytes())
        shape = tuple(int(size) for size in stored["shape"])
        masks = {name: _unpacked(stored[name], shape) for name in ("mask", "distrusted") if name in stored}
        return Entry(**header, **masks, matrix=stored["matrix"])


def _unpacked(bits: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    return np.unpackbits(bits, count=int(np.prod(shape))).reshape(shape).astype(bool)


def _lock(stream: BinaryIO) -> None:
    """Hold a file until it is closed or the process is gone.

    :raises OSError: another holds it.
    """
    if os.name == "nt":
        import msvcrt

        msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
