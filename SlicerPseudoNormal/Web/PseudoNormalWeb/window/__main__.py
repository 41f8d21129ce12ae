"""``python -m PseudoNormalWeb.window``: serves one browser tab until stdin is closed.

The engine's key is in the environment, as ``PSEUDONORMAL_TOKEN``. Once it serves it prints ``{"port": N}`` in one line.
"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import os
import sys
from pathlib import Path

_IN_PLACE = Path(__file__).parents[4] / "Resources" / "sample"
SAMPLE = (_IN_PLACE if _IN_PLACE.is_dir() else Path(__file__).parents[1] / "sample") / "brain.nii.gz"  # see setup.py
"""The MNI152 brain, T1, with a scanner's noise and two simulated lesions; its README says how it was made."""


def main() -> None:
    """Serve until stdin is closed."""
    parser = argparse.ArgumentParser(prog="PseudoNormalWeb.window")
    parser.add_argument("--engine", required=True, help="the engine's address")
    parser.add_argument("--files", type=Path, required=True, help="folder for files from the user's computer")
    parser.add_argument("--data", type=Path, required=True, help="folder for settings and journals")
    parser.add_argument("--sample", type=Path, default=SAMPLE, help="a scan that is there from the beginning")
    options = parser.parse_args()
    _draw_without_display()
    # Read when wslink is imported: no welcome on stdout, no packing of packed pictures.
    os.environ["WSLINK_READY_MSG"] = ""
    os.environ["WSLINK_WS_COMPRESS"] = "0"
    sys.argv = sys.argv[:1]  # trame has options of its own
    from PseudoNormalWeb.window.serving import serve

    token = os.environ.get("PSEUDONORMAL_TOKEN", "")
    asyncio.run(
        serve(engine=options.engine, token=token, files=options.files, data=options.data, sample=options.sample)
    )


def _draw_without_display() -> None:
    """Have VTK draw into memory; it looks for a library that can when it draws first, and crashes where none is."""
    for display in ("DISPLAY", "WAYLAND_DISPLAY"):
        os.environ.pop(display, None)
    if sys.platform == "linux" and not any(_loads(library) for library in ("libEGL.so.1", "libOSMesa.so.8")):
        sys.exit("nothing here can draw pictures: install EGL (Debian and Ubuntu: libegl1, Fedora: mesa-libEGL)")


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    main()
