"""The words for a scan's contrast, which no file format tells: people do, or whoever sends a scan."""

from __future__ import annotations

from typing import Literal

Contrast = Literal["flair", "t1", "t1c", "t2", "pd", "dwi", "other"]
"""``t1c`` is T1 after contrast agent; ``other`` is known to be none of these."""

IN_WORDS: dict[Contrast, str] = {
    "flair": "FLAIR",
    "t1": "T1",
    "t1c": "T1 after contrast agent",
    "t2": "T2",
    "pd": "PD",
    "dwi": "DWI",
    "other": "another contrast",
}
