"""How long the panel does not answer while it generates: ``.venv/bin/python -m Testing.bench.event_loop``.

With ``SlicerPseudoNormal/PseudoNormal`` on ``PYTHONPATH`` and ``QT_QPA_PLATFORM=offscreen``. The shipped model finds
and restores two lesions in the MNI152 brain, 1 mm, from the click to the comparison on the screen; a timer of 10 ms in
Qt's event loop tells the longest time between two of its rounds, and how much of the main thread's own work
lies between two of them at most, to which other programs add nothing. The first run makes the nodes, later ones fill
them anew.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from Testing.panels.demo_panel import demo_panel
from Testing.panels.event_loop import LongestGap

RUNS = 3


def main() -> None:
    """A table with a line for each run."""
    say = sys.stdout.write
    with tempfile.TemporaryDirectory() as folder, demo_panel(Path(folder)) as demo:
        say("| run | from click to result, s | longest gap of the event loop, ms | longest work in it, ms |\n")
        say("|---:|---:|---:|---:|\n")
        for run in range(1, RUNS + 1):
            gap, started = LongestGap(), time.perf_counter()
            demo.generate()
            gap.stop()
            seconds = time.perf_counter() - started
            say(f"| {run} | {seconds:.1f} | {1000 * gap.longest:.0f} | {1000 * gap.busiest:.0f} |\n")


if __name__ == "__main__":
    main()
