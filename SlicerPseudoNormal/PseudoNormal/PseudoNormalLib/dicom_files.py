"""Which DICOM files a volume was loaded from, where no database of an application knows it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_FILES = "PseudoNormal.DicomFiles"


def remember_files(volume: Any, files: Sequence[Path]) -> None:
    """Let a volume node tell its DICOM files.

    :param files: one a slice, in the order of the slices.
    """
    volume.SetAttribute(_FILES, json.dumps([str(file) for file in files]))


def remembered_files(volume: Any) -> list[Path]:
    """The files that :func:`remember_files` was told; none where it was not, or where one of them is gone."""
    files = [Path(file) for file in json.loads(volume.GetAttribute(_FILES) or "[]")]
    return files if all(file.is_file() for file in files) else []
