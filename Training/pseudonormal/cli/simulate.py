"""``pseudonormal simulate``: lesions of known truth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from pseudonormal.cli.choices import AsJson, Cases, Device, Out, Shapes
from pseudonormal.cli.cores import use_all_cores
from pseudonormal.cli.places import check_writable, sweep
from pseudonormal.cli.progress import Talk
from pseudonormal.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pseudonormal.lesions.appearance import Family


def simulate(
    cases: Cases,
    out: Out,
    family: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="What the lesions look like; may be given often. All.")
    ] = None,
    volume_ml: Annotated[tuple[float, float], typer.Option(metavar="LO HI", help="Range of volumes in ml.")] = (
        0.5,
        40.0,
    ),
    count: Annotated[int, typer.Option(min=1, help="Lesions in each case, each in a copy of its own.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same files.")] = 0,
    shapes: Shapes = None,
    model: Annotated[
        str, typer.Option(metavar="NAME", help="Model that finds the brain where CASES names no foreground.")
    ] = "brain-mr",
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Put simulated lesions into the normal tissue of scans, and keep the truth.

    Writes OUT/<case>_<n>/ with image, mask, normal (the truth), foreground and record, and OUT/cases.csv, a list that
    evaluate and train read. Outside its mask the image is the input, bit for bit.
    """
    low, high = volume_ml
    if not 0 < low <= high:
        raise InputError(f"--volume-ml {low:g} {high:g}: give two volumes in ml, the smaller one first")
    check_writable(out)
    from pseudonormal.cases import read_cases
    from pseudonormal.lesions.source import LesionSource
    from pseudonormal.models.device import choose_device
    from pseudonormal.recipes.brain_finder import BrainFinder
    from pseudonormal.simulate.dataset import LIST, Plan, simulate_cases, usable
    from pseudonormal.simulate.shapes import shape_sources

    use_all_cores()
    listed = read_cases(cases)
    chosen = usable(listed)
    source = LesionSource(shape_sources(listed, shapes), families(family or ()))
    sweep(out)
    placed, total = 0, len(chosen) * count
    with Talk(as_json) as talk:
        talk.progress(0, total, "loading")
        plan = Plan(source, count, seed, (low, high))
        entries = simulate_cases(chosen, out, plan, BrainFinder(model, choose_device(device)))
        for done, entry in enumerate(entries, start=1):
            talk.progress(done, total, entry.name)
            if entry.row is None:
                talk.record("warning", case=entry.name, message="no place of that size was found")
                talk.lines(f"{entry.name}: no place of that size was found")
            else:
                placed += 1
                talk.record("result", **entry.row)
                talk.lines(f"{entry.name}: {entry.row['family']}, {float(entry.row['volume_ml']):.2f} ml")
        if placed == 0:
            raise InputError(f"{cases}: no lesion of {low:g} to {high:g} ml found a place; give another --volume-ml")
        talk.lines(f"list: {out / LIST}")


def families(names: Sequence[str]) -> Mapping[str, Family]:
    """The named lesion families, all when none is named.

    :raises InputError: one is not known.
    """
    from pseudonormal.lesions.appearance import FAMILIES

    unknown = next((name for name in names if name not in FAMILIES), None)
    if unknown is not None:
        raise InputError(f"--family {unknown}: not known; name one of {', '.join(FAMILIES)}")
    return {name: FAMILIES[name] for name in names} if names else FAMILIES
