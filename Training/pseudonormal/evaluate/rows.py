"""The results of an evaluation, one line each, kept so that an interrupted evaluation goes on where it stopped."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pseudonormal.errors import InputError
from pseudonormal.scan.atomic import atomic_file, unwritable

Row = dict[str, object]

METRICS_VERSION = 1  # raise it when a metric's definition changes, so that older rows are not reused


def digest(*parts: NDArray[Any] | str) -> str:
    """A short fingerprint of arrays and words; equal exactly when all of them are equal."""
    state = hashlib.blake2b(digest_size=16)
    for part in parts:
        if isinstance(part, str):
            state.update(f"{len(part)}:{part}".encode())
        else:
            state.update(f"{part.dtype.str}{part.shape}".encode())
            packed = np.packbits(part) if part.dtype == bool else np.ascontiguousarray(part)
            state.update(packed.data)
    return state.hexdigest()


class RowStore:
    """Rows by key in a JSON-lines file; a row is on disk when ``add`` returns, and a torn last line is dropped.

    :param path: the file; made when absent.
    :raises InputError: when the file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rows: dict[str, Row] = {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            whole = self._read() if path.exists() else 0
            with path.open("ab") as stream:
                stream.truncate(whole)
        except OSError as error:
            raise InputError(f"{path}: cannot be written ({error.strerror}): give another output folder") from None

    def _read(self) -> int:
        """Take in the whole lines; returns their length in bytes."""
        whole = 0
        for line in self._path.read_bytes().splitlines(keepends=True):
            try:
                row = json.loads(line)
                key = row["key"]
            except (ValueError, KeyError, TypeError):
                break
            if not line.endswith(b"\n"):
                break
            self._rows[key] = row
            whole += len(line)
        return whole

    def get(self, key: str) -> Row | None:
        """The row of a key, or None."""
        return self._rows.get(key)

    def add(self, rows: Iterable[Row]) -> list[Row]:
        """Append rows (each with a ``key``); nan and infinity become None.

        :returns: the rows as they were stored.
        :raises InputError: when the disk is full or the file cannot be written.
        """
        stored = [{name: _plain(value) for name, value in row.items()} for row in rows]
        text = "".join(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n" for row in stored)
        try:
            with self._path.open("ab") as stream:
                stream.write(text.encode())
                stream.flush()
                os.fsync(stream.fileno())
        except OSError as error:
            raise InputError(f"{self._path}: cannot be written ({error.strerror}): free space or change it") from None
        self._rows.update({str(row["key"]): row for row in stored})
        return stored


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write a whole file or none, and the folders above it.

    :raises InputError: when the folder cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(path.parent, error) from error
    with atomic_file(path) as stream:
        stream.write(content.encode() if isinstance(content, str) else content)


def number(row: Row, name: str) -> float:
    """A row's number; nan when it has none."""
    value = row.get(name)
    return float(value) if isinstance(value, (int, float)) else float("nan")


def _plain(value: object) -> object:
    """The value in JSON's types."""
    if isinstance(value, dict):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, (np.generic, np.ndarray)):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
