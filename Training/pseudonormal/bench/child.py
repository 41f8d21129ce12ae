"""Time ``generate`` in a process of its own, so that start-up and peak memory are its alone.

Called as ``python -m pseudonormal.bench.child SCAN OUT MODEL DEVICE RUNS THREADS STARTED``; prints one JSON object.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CASE = "bench"


def measure(
    scan: Path, out: Path, model_name: str, device: str, runs: int, threads: int, started: float
) -> dict[str, Any]:
    """Generate once cold and ``runs`` times warm.

    :param threads: that torch may use.
    :param started: when the process was started, seconds since the epoch.
    :returns: "cold_s" (process start to written result), "runs" (for each warm one: "generate_s", "write_s",
        "networks_s" and the stages), "peak_bytes", "threads", "device", "gpu_peak_bytes".
    """
    import torch

    from pseudonormal.generate.outputs import write_result
    from pseudonormal.generate.pipeline import Options, generate
    from pseudonormal.models.bundle import load_model
    from pseudonormal.models.device import choose_device

    torch.set_num_threads(threads)
    model = load_model(model_name, choose_device(device))
    options = Options()
    wait = torch.cuda.synchronize if model.device.type == "cuda" else _nothing
    write_result(generate(scan, model, options), out, CASE, model, options)
    cold = time.time() - started
    warm = []
    for _ in range(runs):
        with _timed((model.brain, model.lesion, model.restore), wait) as networks:
            begun = time.perf_counter()
            result = generate(scan, model, options)
            between = time.perf_counter()
            write_result(result, out, CASE, model, options)
        warm.append(
            {
                "generate_s": between - begun,
                "write_s": time.perf_counter() - between,
                "networks_s": sum(networks),
                "passes": len(networks),
                "stages": result.timings,
            }
        )
    return {
        "cold_s": cold,
        "runs": warm,
        "peak_bytes": peak_bytes(),
        "gpu_peak_bytes": torch.cuda.max_memory_allocated(model.device) if model.device.type == "cuda" else None,
        "threads": torch.get_num_threads(),
        "device": torch.cuda.get_device_name(model.device) if model.device.type == "cuda" else "cpu",
        "findings": len(result.findings),
    }


@contextmanager
def _timed(networks: tuple[Any, ...], wait: Callable[[], None]) -> Iterator[list[float]]:
    """Seconds of each forward pass of the networks while the block runs."""
    spent: list[float] = []
    begun: list[float] = []

    def before(*_: Any) -> None:
        wait()
        begun.append(time.perf_counter())

    def after(*_: Any) -> None:
        wait()
        spent.append(time.perf_counter() - begun.pop())

    hooks = [network.register_forward_pre_hook(before) for network in networks]
    hooks += [network.register_forward_hook(after) for network in networks]
    try:
        yield spent
    finally:
        for hook in hooks:
            hook.remove()


def peak_bytes() -> int:
    """The most memory this process has held."""
    unit = 1 if sys.platform == "darwin" else 1024  # Linux counts in KiB
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _nothing() -> None:
    return


if __name__ == "__main__":
    source, target, name, where, runs, threads, begun_at = sys.argv[1:]
    answer = measure(Path(source), Path(target), name, where, int(runs), int(threads), started=float(begun_at))
    sys.stdout.write(json.dumps(answer) + "\n")
