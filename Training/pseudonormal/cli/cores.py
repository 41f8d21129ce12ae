"""How many cores the networks use."""

from __future__ import annotations

import os


def cores() -> int:
    """Cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def use_all_cores() -> None:
    """Let torch use every core that this process may run on, unless ``OMP_NUM_THREADS`` says otherwise.

    Torch itself counts physical cores, which leaves half of a virtual machine's idle.
    """
    if "OMP_NUM_THREADS" not in os.environ:
        import torch

        torch.set_num_threads(cores())
