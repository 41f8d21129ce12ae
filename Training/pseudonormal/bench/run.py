"""Measure ``generate`` on the demo's head, and the biharmonic fill."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from pseudonormal.bench.fill import fill_times
from pseudonormal.bench.table import bench_table
from pseudonormal.demo.scene import Scene, make_scene
from pseudonormal.intensity import scale_from
from pseudonormal.scan.conform import conform
from pseudonormal.scan.reading import read_scan


def run_bench(model: str, device: str, runs: int, threads: int, cores: int, progress: Callable[[str], None]) -> str:
    """Measure everything; a scratch folder of the system's holds the files meanwhile.

    :param threads: that torch may use.
    :param cores: cores that this process may use, for the table.
    :param progress: told what is measured next.
    :returns: the table, Markdown.
    :raises InputError: the model cannot be used.
    """
    with tempfile.TemporaryDirectory(prefix="pseudonormal-bench-") as scratch:
        folder = Path(scratch)
        progress("making the head")
        make_scene(folder)
        scene = Scene.at(folder)
        progress(f"generate: once cold, {runs} times warm")
        arguments = [str(scene.scan), str(folder / "out"), model, device, str(runs), str(threads), str(time.time())]
        child = subprocess.run(
            [sys.executable, "-m", "pseudonormal.bench.child", *arguments], capture_output=True, text=True, check=False
        )
        if child.returncode != 0:
            raise RuntimeError((child.stderr.strip().splitlines() or ["the measured process failed"])[-1])
        measured = json.loads(child.stdout.splitlines()[-1])
        progress("the biharmonic fill")
        truth = conform(read_scan(scene.truth)).image
        image = scale_from(truth, truth > 0).apply(truth)
        return bench_table(measured, fill_times(image), cores, truth.shape[::-1])
