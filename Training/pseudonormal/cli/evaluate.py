"""``pseudonormal evaluate``: models beside classical fills, in one table."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from pseudonormal.cli.choices import AsJson, Cases, Device, Out, Shapes
from pseudonormal.cli.cores import use_all_cores
from pseudonormal.cli.places import check_writable
from pseudonormal.cli.progress import Talk
from pseudonormal.cli.realism import Wanted, measure_realism
from pseudonormal.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pseudonormal.evaluate.targets import Target
    from pseudonormal.recipes.fusion import Mode
    from pseudonormal.recipes.restoration import Restorer

DEFAULT = "brain-mr"


def evaluate(  # noqa: PLR0913, PLR0917 - one option each, of two kinds of evaluation
    cases: Cases,
    out: Out,
    recipe: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Classical fills that take part; may be given often. All of them."),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="Models that take part; may be given often. brain-mr, or none when --recipe is given."
        ),
    ] = None,
    mode: Annotated[
        list[str] | None,
        typer.Option(metavar="auto|void|guided", help="How models restore; may be given often. auto."),
    ] = None,
    family: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Simulated lesion families; may be given often. All.")
    ] = None,
    seeds: Annotated[int, typer.Option(metavar="N", min=1, help="Simulated lesions of each size in each case.")] = 1,
    shapes: Shapes = None,
    texture: Annotated[bool, typer.Option("--texture", help="Measure sharpness with added grain too.")] = False,
    generated: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Output of generate, checked on the scans' own grids.")
    ] = None,
    metric: Annotated[
        list[str] | None,
        typer.Option(metavar="mm-fid|mm-std", help="Compare synthetic images with the real ones of CASES instead."),
    ] = None,
    synthetic: Annotated[
        list[str] | None, typer.Option(metavar="[NAME=]LIST", help="What synthesize wrote; may be given often.")
    ] = None,
    features: Annotated[
        list[str] | None, typer.Option(metavar="KIND=FILE", help="A further network to compare by: resnet18, resnet50.")
    ] = None,
    resolution: Annotated[
        list[int] | None, typer.Option(metavar="N", help="Edge of the compared slices; may be given often. 24, 48, 96.")
    ] = None,
    rows: Annotated[bool, typer.Option("--rows", help="Show the row-normalised scores of the literature too.")] = False,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Measure models against classical fills: simulated lesions, real ones, and pairs of visits.

    Writes one CSV for each tier, summary.md, summary.csv, summary.json and plots/ into OUT. A call that was
    interrupted goes on where it stopped. Cases of split "train" are left out.

    With --metric synthetic images are measured instead, how true (mm-fid) and how various (mm-std) they are beside the
    real ones of CASES: realism.md, realism.csv and realism.json.
    """
    check_writable(out)
    if metric:
        wanted = Wanted(metric, synthetic or (), features or (), resolution or (), rows)
        use_all_cores()
        with Talk(as_json) as talk:
            measure_realism(cases, out, wanted, device, talk)
        return
    from pseudonormal.cases import read_cases
    from pseudonormal.cli.generate import classical
    from pseudonormal.cli.simulate import families
    from pseudonormal.evaluate.run import evaluate as run
    from pseudonormal.lesions.source import LesionSource
    from pseudonormal.models.bundle import load_model
    from pseudonormal.models.device import choose_device
    from pseudonormal.recipes.brain_finder import BrainFinder
    from pseudonormal.recipes.classical import CLASSICAL
    from pseudonormal.recipes.correction import CorrectedFill
    from pseudonormal.recipes.detection import LesionFinder
    from pseudonormal.simulate.shapes import shape_sources

    listed = read_cases(cases)
    source = LesionSource(shape_sources(listed, shapes), families(family or ()))
    baselines = [classical(name) for name in recipe] if recipe else list(CLASSICAL.values())
    names = dict.fromkeys(model or ([] if recipe else [DEFAULT]))
    use_all_cores()
    modes = _modes(mode or ["auto"])
    where = choose_device(device)
    with Talk(as_json) as talk, _nothing_left_of_nothing(out):
        talk.progress(0, 1, "loading")
        models = {name: load_model(name, where) for name in names}
        restorers: list[Restorer] = [CorrectedFill(one, how) for one in models.values() for how in modes]
        result = run(
            listed,
            out,
            restorers,
            baselines=baselines,
            source=source,
            seeds=range(seeds),
            texture=texture,
            segmenter=LesionFinder(next(iter(models.values()))) if models else None,
            foreground_of=BrainFinder(next(iter(names), DEFAULT), where),
            generated=generated,
            progress=talk.progress,
        )
        files = sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file())
        talk.record(
            "result",
            folder=str(out),
            targets=[_plain(target) for target in result.targets],
            warnings=result.warnings,
            files=files,
        )
        talk.lines(*[f"note: {warning}" for warning in result.warnings], *_targets(result.targets))
        talk.lines(f"tables: {out / 'summary.md'}, {out / 'summary.csv'}; pictures: {out / 'plots'}")


@contextmanager
def _nothing_left_of_nothing(out: Path) -> Iterator[None]:
    """When an input is at fault before anything was measured, no empty output stays."""
    made = [folder for folder in (out, *out.parents) if not folder.exists()]
    try:
        yield
    except InputError:
        rows = out / "rows.jsonl"
        if rows.is_file() and rows.stat().st_size == 0:
            rows.unlink()
            for folder in made:
                if not any(folder.iterdir()):
                    folder.rmdir()
        raise


def _modes(names: Sequence[str]) -> list[Mode]:
    """The named modes.

    :raises InputError: one is not known.
    """
    from pseudonormal.recipes.fusion import Mode

    known: tuple[Mode, ...] = get_args(Mode)
    unknown = next((name for name in names if name not in known), None)
    if unknown is not None:
        raise InputError(f"--mode {unknown}: not known; name one of {', '.join(known)}")
    return [mode for mode in known if mode in names]


def _plain(target: Target) -> dict[str, Any]:
    values = asdict(target)
    return values | {"measured": None if isnan(target.measured) else target.measured, "interval": None}


def _targets(targets: list[Target]) -> list[str]:
    """What is wanted and what was measured, aligned."""
    rows = [
        (
            target.subject,
            target.wanted,
            "not measured" if isnan(target.measured) else f"{target.measured:.3f}",
            {None: "", True: "met", False: "missed"}[target.met],
        )
        for target in targets
    ]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(4)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
