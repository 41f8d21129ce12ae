"""What ``pseudonormal synthesize`` says, and no scan: with a generator that a pretended training left.

It counts scans, keeps its count in the output folder, and ends when its stdin does. An order of many halts half-way,
once, until it is stopped: however slow the machine is, it has not ended by then.
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
from pathlib import Path

from Testing.telling import a_png, tell, when_stdin_ends

PAUSE_S = 0.02
MANY = 300


def leave_generator(run: Path) -> None:
    """Files as a real one has, with nothing in them."""
    for name in ("settings.json", "generator.safetensors", "material/cases.csv"):
        (run / name).parent.mkdir(exist_ok=True)
        (run / name).touch()


def make(out: Path, count: int, ended: threading.Event) -> int:
    """Count; gives how many were made now, or -1 when it was to end."""
    kept = out / "count"
    there = int(kept.read_text()) if kept.exists() else 0
    for done in range(there + 1, count + 1):
        halts = count >= MANY and not there and done > count // 2
        if ended.wait(None if halts else PAUSE_S):
            return -1
        kept.write_text(str(done))
        (out / "contact_sheet.png").write_bytes(a_png(done % 256))
        tell(event="progress", done=done, total=count, message=f"synthetic_{done}")
    return count - there


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser()
    for name in ("command", "run", "cases"):
        parser.add_argument(name)
    parser.add_argument("-o", dest="out", type=Path)
    parser.add_argument("--count", type=int)
    for option in ("--seed", "--workers", "--model", "--device", "--store"):
        parser.add_argument(option)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    tell(event="progress", done=0, total=given.count, message="reading the cases")
    made = make(given.out, given.count, when_stdin_ends())
    if made >= 0:
        added = given.count if given.store else 0
        tell(event="result", cases=given.count, made=made, with_lesion=given.count // 2, added=added)
    sys.stdout.flush()
    os._exit(0 if made >= 0 else 130)  # the reader of stdin holds its lock
