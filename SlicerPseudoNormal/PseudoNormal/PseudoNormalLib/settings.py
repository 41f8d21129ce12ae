"""What outlives the session: text by key."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol
from urllib.parse import quote


class Settings(Protocol):
    """What outlives the session: text by key, such as ``PseudoNormal/Engine/Url``."""

    def get(self, key: str, default: str = "") -> str:
        """The text, or the default where nothing is kept."""
        ...

    def set(self, key: str, value: str) -> None:
        """Keep a text."""
        ...

    def remove(self, key: str) -> None:
        """Keep nothing any more."""
        ...


class SessionSettings:
    """Settings of a host that keeps none: they end with the session."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}

    def get(self, key: str, default: str = "") -> str:
        """See :class:`Settings`."""
        return self._values.get(key, default)

    def set(self, key: str, value: str) -> None:
        """See :class:`Settings`."""
        self._values[key] = value

    def remove(self, key: str) -> None:
        """See :class:`Settings`."""
        self._values.pop(key, None)


class FolderSettings:
    """Settings in a folder that several processes share, one file a key: none undoes what another has set.

    :param folder: made when something is first kept.
    :param given: what holds for this session whatever the folder says, and is not written there.
    """

    def __init__(self, folder: Path, given: Mapping[str, str] | None = None) -> None:
        self._folder = folder
        self._given = dict(given or {})

    def get(self, key: str, default: str = "") -> str:
        """See :class:`Settings`."""
        if key in self._given:
            return self._given[key]
        try:
            return self._file(key).read_bytes().decode()
        except FileNotFoundError:
            return default

    def set(self, key: str, value: str) -> None:
        """See :class:`Settings`.

        :raises OSError: the folder cannot be written; what was kept stays.
        """
        if key in self._given:
            self._given[key] = value
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        number, temporary = tempfile.mkstemp(dir=self._folder, prefix=".", suffix=".new")
        try:
            with os.fdopen(number, "wb") as file:
                file.write(value.encode())
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(self._file(key))
        except OSError:
            Path(temporary).unlink(missing_ok=True)
            raise

    def remove(self, key: str) -> None:
        """See :class:`Settings`."""
        self._given.pop(key, None)
        self._file(key).unlink(missing_ok=True)

    def _file(self, key: str) -> Path:
        return self._folder / quote(key, safe="")
