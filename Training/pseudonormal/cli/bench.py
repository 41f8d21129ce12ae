"""``pseudonormal bench``: time and memory on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pseudonormal.cli.choices import Device
from pseudonormal.cli.cores import cores, use_all_cores
from pseudonormal.cli.places import check_writable
from pseudonormal.cli.progress import Talk


def bench(
    out: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="FILE", help="Write the table there too (Markdown).")
    ] = None,
    runs: Annotated[int, typer.Option(metavar="N", min=1, help="Warm runs.")] = 3,
    model: Annotated[str, typer.Option(metavar="NAME", help="Name or folder of a model.")] = "brain-mr",
    device: Device = "auto",
) -> None:
    """Measure generate on a 1 mm head: cold and warm time, peak memory, and its share beyond the bare networks."""
    if out is not None:
        check_writable(out.parent)
    import torch

    from pseudonormal.bench.run import run_bench
    from pseudonormal.models.bundle import load_model
    from pseudonormal.models.device import choose_device
    from pseudonormal.scan.atomic import atomic_file

    use_all_cores()
    load_model(model, choose_device(device))  # what is wrong with them is said here, not by the measured process
    with Talk(as_json=False) as talk:
        steps = iter(range(3))
        table = run_bench(
            model,
            device,
            runs,
            torch.get_num_threads(),
            cores(),
            lambda message: talk.progress(next(steps), 3, message),
        )
    talk.lines(*table.splitlines())
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        with atomic_file(out) as stream:
            stream.write(table.encode())
