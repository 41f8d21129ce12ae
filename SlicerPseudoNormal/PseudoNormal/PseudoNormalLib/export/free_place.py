"""Where an export goes: a name that tells what it is, and that nothing has yet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PseudoNormalLib.export.exporter import Format


def free_place(folder: Path, scan: str, chosen: Format) -> Path:
    """A file or folder that is not there yet.

    :param scan: the scan's name; what file systems do not take in it is replaced.
    """
    words = f"{scan} {chosen.key.replace('_', ' ')}"
    name = "".join("_" if letter in '<>:"/\\|?*' or ord(letter) < 32 else letter for letter in words).strip(" .")
    path, number = folder / f"{name}{chosen.suffix}", 1
    while path.exists():
        number += 1
        path = folder / f"{name} {number}{chosen.suffix}"
    return path
