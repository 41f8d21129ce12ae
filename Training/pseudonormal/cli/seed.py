"""``pseudonormal seed``: seed masks for scans that nobody has drawn in, from a run of recipe shape."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from pseudonormal.cli.choices import AsJson, Brain, Device, Out
from pseudonormal.cli.failure import INTERRUPTED, say
from pseudonormal.cli.places import check_writable
from pseudonormal.cli.progress import Talk


def seed(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run of recipe shape that has ended.")],
    data: Annotated[Path, typer.Argument(metavar="CASES", help="The list of cases that it was trained on.")],
    out: Out,
    rounds: Annotated[int, typer.Option(metavar="N", min=0, help="Rounds of learning from the masks, at most.")] = 3,
    fine_mm: Annotated[
        float, typer.Option(metavar="MM", min=0.3, help="Voxels that rounds learn in, where the frame's are larger.")
    ] = 1.0,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="Change a setting or an option of the rounds; may be repeated."
        ),
    ] = None,
    store: Annotated[
        Path | None,
        typer.Option("--store", metavar="DIR", help="Also take the masks into this case store, for review."),
    ] = None,
    brain: Brain = "brain-mr",
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Give every scan without a mask a seed mask and say how far to trust it.

    The run's generator marks the scans; a segmentor learns from its masks, heeding that they may be wrong, and marks
    them anew; and so on until the masks of scans that are kept aside get no surer. Writes OUT/<case>/mask.nii.gz and
    weight.nii.gz (0 to 1), and OUT/cases.csv for pseudonormal train smile. With --store each mask becomes a seed
    revision; those with most to correct come first. A call that was interrupted goes on where it stopped.
    """
    check_writable(out)
    from pseudonormal.cases import read_cases
    from pseudonormal.cli.case_store import opened
    from pseudonormal.models.device import choose_device
    from pseudonormal.recipes.brain_finder import BrainFinder
    from pseudonormal.recipes.shape.generator import read_generator
    from pseudonormal.recipes.shape.learning import LearningOptions
    from pseudonormal.seeding.run import SETTINGS, Order, into_store
    from pseudonormal.seeding.run import seed as make_seeds
    from pseudonormal.training.interrupt import Stopped, stop_on_interrupt
    from pseudonormal.training.settings import with_overrides
    from pseudonormal.training.streams import load_streams

    where = choose_device(device)
    how, learning = with_overrides(SETTINGS, LearningOptions(), settings or [])
    generator = read_generator(run, str(where))
    cases = read_cases(data)
    streams = load_streams(cases, foreground_of=BrainFinder(brain, where))
    with Talk(as_json) as talk, stop_on_interrupt() as stop:
        order = Order(
            out, how, learning, rounds, fine_mm, str(where), stop=stop, warn=say,
            progress=lambda done, words: talk.progress(done, 1, words),
        )  # fmt: skip
        try:
            seeds = make_seeds(streams, generator, order)
        except Stopped:
            talk.record("stopped", folder=str(out))
            talk.lines(f"stopped: {out}; the same command goes on")
            raise typer.Exit(INTERRUPTED) from None
        added, known = 0, 0
        if store is not None:
            with opened(store, make=True) as case_store:
                added, known = into_store(case_store, out, cases, seeds)
        talk.record("result", seeds=[asdict(one) for one in seeds], cases=str(out / "cases.csv"), added=added)
        talk.lines(*(f"{one.case}: {one.volume_ml:.2f} ml, reliability {one.reliability:.2f}" for one in seeds))
        if store is not None:
            talk.lines(f"cases added to {store}: {added}" + (f"; it had {known} already" if known else ""))
