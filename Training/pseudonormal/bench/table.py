"""The bench's numbers as a Markdown table."""

from __future__ import annotations

import platform
from statistics import median
from typing import Any

from pseudonormal import __version__
from pseudonormal.bench.fill import FillTimes

GIB = 1024**3


def bench_table(measured: dict[str, Any], fill: FillTimes, cores: int, size: tuple[int, ...]) -> str:
    """What was measured and on what machine.

    :param measured: from :func:`pseudonormal.bench.child.measure`.
    :param size: of the head, voxels of 1 mm along x, y, z.
    """
    runs = measured["runs"]
    generate, write, networks = (median(run[key] for run in runs) for key in ("generate_s", "write_s", "networks_s"))
    head = "×".join(str(n) for n in size)
    rows = [
        ("cold: process start to written result", f"{measured['cold_s']:.1f} s", ""),
        (f"warm: generate, median of {len(runs)}", f"{generate:.2f} s", "at most 10 s on 2 cores, 1 s on a GPU"),
        ("warm: write volumes and report", f"{write:.2f} s", ""),
        (f"bare network passes ({runs[-1]['passes']})", f"{networks:.2f} s", ""),
        ("generate / networks", f"{generate / networks:.2f}", "at most 2"),
        ("generate and write / networks", f"{(generate + write) / networks:.2f}", ""),
        ("peak memory", f"{measured['peak_bytes'] / GIB:.2f} GiB", "at most 3 GB"),
    ]
    if measured["gpu_peak_bytes"] is not None:
        rows.append(("peak GPU memory", f"{measured['gpu_peak_bytes'] / GIB:.2f} GiB", ""))
    stages = {stage: median(run["stages"][stage] for run in runs) for stage in runs[-1]["stages"]}
    rows += [(f"stage: {stage}", f"{seconds:.2f} s", "") for stage, seconds in stages.items()]
    rows += [
        ("biharmonic fill, ball of 40 ml", f"{fill.large_s:.2f} s", "at most 1 s on 2 cores"),
        ("biharmonic fill, ball of 7 ml", f"{fill.small_s:.2f} s", ""),
        ("scikit-image's, ball of 7 ml", f"{fill.reference_s:.2f} s", ""),
        ("PSNR, ours - scikit-image's", f"{fill.difference_db:+.3f} dB", "within 0.1 dB"),
    ]
    machine = (
        f"{platform.machine()} {platform.system()}, {cores} cores, {measured['threads']} threads, "
        f"device {measured['device']}, Python {platform.python_version()}, PseudoNormal {__version__}"
    )
    lines = [f"A head of {head} voxels of 1 mm with an 8 ml lesion, no mask given; {machine}.", ""]
    lines += ["| what | measured | wanted |", "| --- | ---: | --- |"]
    lines += [f"| {what} | {value} | {wanted} |" for what, value, wanted in rows]
    return "\n".join(lines) + "\n"
