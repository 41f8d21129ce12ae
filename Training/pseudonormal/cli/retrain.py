"""``pseudonormal retrain``: from what was accepted in the case store to a model that waits to be promoted."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn

from pseudonormal.cli.case_store import opened
from pseudonormal.cli.choices import AsJson, Device
from pseudonormal.cli.failure import INTERRUPTED
from pseudonormal.cli.train import describe
from pseudonormal.errors import InputError

if TYPE_CHECKING:
    from pseudonormal.retraining.candidate import Candidate
    from pseudonormal.training.settings import Settings

Tell = Callable[[Mapping[str, Any]], None]

MINUTES = 10.0
GENTLENESS = 0.25  # of the recipe's learning rate: what the parent knows is to be changed, not replaced


def retrain(
    store: Annotated[Path, typer.Argument(metavar="STORE", help="Folder of the case store.")],
    run: Annotated[Path, typer.Option("--output", "-o", metavar="RUN", help="Folder of the run.")],
    model: Annotated[str, typer.Option(help="What to go on from: a model's name, NAME:VERSION or a folder.")] = (
        "brain-mr"
    ),
    recipe: Annotated[str, typer.Option(help="How to train; see pseudonormal train.")] = "smile",
    contrast: Annotated[
        str, typer.Option(metavar="NAME", help="Use scans of this contrast only: flair, t1, ...; any: mix them.")
    ] = "",
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a setting, for instance minutes=10; may be repeated."),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in that folder.")] = False,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Retrain a model on the accepted masks and all other scans of a case store.

    The new model is judged on subjects that are kept aside, and then waits: models promote makes it current. With a
    recipe that makes annotated scans (um, translation) it is a generator that is trained, for pseudonormal synthesize.
    Ctrl-C keeps what was reached; --resume goes on from there.
    """
    from pseudonormal.models.device import choose_device
    from pseudonormal.recipes.training import find_recipe
    from pseudonormal.retraining.generator import LISTED, Generator, train_generator
    from pseudonormal.retraining.run import retrain as retrain_model
    from pseudonormal.training.interrupt import Stopped, stop_on_interrupt

    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise InputError("retrain runs in one process: start it without torchrun")
    goes_on = resume and not _ended_before_it_began(run)
    recipe, how, options = _chosen(recipe, run, settings or [], goes_on)
    how = replace(how, device=str(choose_device(device)))
    make = train_generator if find_recipe(recipe).from_store == "scans" else retrain_model
    try:
        with opened(store) as cases, stop_on_interrupt() as stop, _telling(as_json) as tell:
            made = make(
                cases,
                run,
                model,
                how,
                recipe=recipe,
                options=options,
                contrast=contrast,
                resume=goes_on,
                tell=tell,
                stop=stop,
            )
    except Stopped:
        _say_stopped(as_json, store, run)
        raise typer.Exit(INTERRUPTED) from None
    if as_json:
        typer.echo(json.dumps({"generator" if isinstance(made, Generator) else "candidate": made.as_json()}))
    elif isinstance(made, Generator):
        typer.echo(f"generator: {run}, recipe {made.recipe}, from {made.subjects} subjects")
        typer.echo(f"To use it: pseudonormal synthesize {run} {run / LISTED} -o FOLDER")
    else:
        _print(made)


def _ended_before_it_began(run: Path) -> bool:
    """Whether a folder holds no more than what the beginning of a run leaves that was killed."""
    return run.is_dir() and all(
        path.name in ("material", "settings.json") or path.name.startswith(".") for path in run.iterdir()
    )


def _chosen(recipe: str, run: Path, pairs: list[str], resume: bool) -> tuple[str, Settings, Any]:
    """The recipe with its settings and options, or those of the run to resume; changed by the user's."""
    from pseudonormal.recipes.training import find_recipe
    from pseudonormal.training.settings import read_options, read_settings, with_overrides

    if resume:
        recipe, how = read_settings(run)
        known = find_recipe(recipe)
        options = read_options(run, known.default_options())
    else:
        known = find_recipe(recipe)
        rate = known.settings.learning_rate * (1 if known.from_store == "scans" else GENTLENESS)
        how, options = replace(known.settings, minutes=MINUTES, learning_rate=rate), known.default_options()
    return recipe, *with_overrides(how, options, pairs)


@contextmanager
def _telling(as_json: bool) -> Iterator[Tell]:
    """What is told on the way: JSON lines, or a bar with words."""
    if as_json:
        yield lambda line: typer.echo(json.dumps(line))
        return
    console = Console(stderr=True)
    columns = SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TaskProgressColumn()
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("looking for what to learn from", total=1.0)

        def tell(line: Mapping[str, Any]) -> None:
            if "warning" in line:
                console.print(line["warning"], markup=False, soft_wrap=True)
            elif line.get("stage") == "material":
                console.print(
                    f"{line['labelled']} labelled and {line['unlabelled']} unlabelled cases; subjects to learn from: "
                    f"{line['train']}, to choose thresholds: {line['validation']}, to judge: {line['test']}"
                )
                bar.update(task, description="reading the cases")
            elif line.get("stage") == "judging":
                bar.update(task, completed=line["done"], description="judging on subjects kept aside")
            else:
                bar.update(task, completed=line["done"], description=describe(dict(line)))

        yield tell


def _say_stopped(as_json: bool, store: Path, run: Path) -> None:
    if as_json:
        typer.echo(json.dumps({"stopped": str(run)}))
    else:
        typer.echo(f"stopped: {run}")
        typer.echo(f"To go on: pseudonormal retrain {store} -o {run} --resume", err=True)


def _print(candidate: Candidate) -> None:
    entry, against = candidate.entry, candidate.against
    console = Console()
    console.print(f"candidate: {entry.name}:{entry.version}, trained from version {entry.parent}", highlight=False)
    for name, value in entry.metrics.items():
        console.print(f"{name}: {value:.4g}", highlight=False)
    for name, one in against.differences.items():
        interval = "" if one.low is None else f" (95 % interval {one.low:+.3g} to {one.high:+.3g})"
        console.print(f"{name} against the parent: {one.mean:+.3g}{interval}", highlight=False)
    objection = against.objection(str(entry.parent))
    if objection:
        console.print(objection, highlight=False, soft_wrap=True)
    console.print(f"To use it: pseudonormal models promote {entry.name} {entry.version}", highlight=False)
