"""A run's curves as TensorBoard files, for those who want them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pseudonormal.errors import InputError

FOLDER = "tensorboard"
_NO_CURVES = ("step", "minutes", "minutes_left", "done")


@contextmanager
def tensorboard_curves(run: Path) -> Iterator[Callable[[Mapping[str, float]], None]]:
    """A function that adds a line of the log to the files in ``run/tensorboard``.

    Where a run goes on, what earlier files say of later steps is lost with the process that wrote it.

    :raises InputError: TensorBoard is not installed.
    """
    if find_spec("tensorboard") is None:
        raise InputError("--tensorboard: TensorBoard is not installed: pip install 'pseudonormal[tensorboard]'")
    from torch.utils.tensorboard import SummaryWriter

    writer: Any = None  # made with the first line, which says where the run goes on

    def add(line: Mapping[str, float]) -> None:
        nonlocal writer
        step = int(line["step"])
        writer = writer or SummaryWriter(str(run / FOLDER), purge_step=step)
        for name in line:
            if name not in _NO_CURVES:
                writer.add_scalar(name, line[name], step)
        writer.flush()

    try:
        yield add
    finally:
        if writer is not None:
            writer.close()
