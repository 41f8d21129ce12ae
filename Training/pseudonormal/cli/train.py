"""``pseudonormal train``: train one network of a model."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn

from pseudonormal.errors import InputError

if TYPE_CHECKING:
    from pseudonormal.training.settings import Settings

INTERRUPTED = 130  # what a shell expects of a program that Ctrl-C ended

Report = Callable[[dict[str, float]], None]


def train(
    recipe: Annotated[str, typer.Argument(help="What to train: brain, lesion or restore.")],
    cases: Annotated[Path, typer.Argument(help="CSV list of cases; those of split 'train' are learnt from.")],
    run: Annotated[Path, typer.Option("--output", "-o", help="Folder of the run: log, checkpoint, weights.")],
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a setting; may be repeated.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in that folder.")] = False,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    brain: Annotated[
        str, typer.Option(help="Finds the brain in scans without a foreground: a model, or a run of recipe brain.")
    ] = "brain-mr",
    as_json: Annotated[bool, typer.Option("--json", help="Print progress and result as JSON lines.")] = False,
) -> None:
    """Train a network: brain (finds the brain), lesion (finds lesions) or restore (removes them).

    Ctrl-C keeps what was learnt; --resume goes on from there, and after a crash from the last checkpoint.
    """
    from pseudonormal.cases import read_cases
    from pseudonormal.models.device import choose_device
    from pseudonormal.recipes.brain_finder import BrainFinder
    from pseudonormal.recipes.training import find_recipe
    from pseudonormal.training.interrupt import stop_on_interrupt
    from pseudonormal.training.sampling import Stopped
    from pseudonormal.training.streams import load_streams
    from pseudonormal.training.trainer import train as train_network

    console = Console(stderr=True)
    chosen = find_recipe(recipe)
    where = choose_device(device)
    how = replace(_settings(recipe, chosen.settings, run, settings or [], resume), device=str(where))
    if not resume and (run / "checkpoint.pt").exists():
        raise InputError(f"{run}: holds a run already; give --resume to continue it or another folder")
    streams = load_streams(read_cases(cases), foreground_of=BrainFinder(brain, where))
    if not as_json:
        console.print(f"[bold]{recipe}[/bold]: {chosen.explanation}")
    with console.status("reading the cases"):
        trainable = chosen.build(streams)
    try:
        with stop_on_interrupt() as stop, _reporting(console, as_json) as report:
            weights = train_network(trainable, run, how, resume=resume, progress=report, stop=stop)
    except Stopped:
        _say(as_json, "stopped", run)
        if not as_json:
            console.print(f"To go on: pseudonormal train {recipe} {cases} -o {run} --resume", soft_wrap=True)
        raise typer.Exit(INTERRUPTED) from None
    _say(as_json, "weights", weights)


def _settings(recipe: str, default: Settings, run: Path, pairs: list[str], resume: bool) -> Settings:
    """The recipe's settings, or those of the run to resume, changed by the user's."""
    from pseudonormal.training.settings import read_settings, with_overrides

    if resume:
        begun, default = read_settings(run)
        if begun != recipe:
            raise InputError(f"{run}: holds a run of recipe {begun}: resume that one, or give another folder")
    return with_overrides(default, pairs)


@contextmanager
def _reporting(console: Console, as_json: bool) -> Iterator[Report]:
    """What is told while the network learns: step, losses and time left."""
    if as_json:
        yield lambda line: typer.echo(json.dumps(line))
        return
    columns = SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TaskProgressColumn()
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("drawing the first samples", total=1.0)
        yield lambda line: bar.update(task, completed=line["done"], description=describe(line))


def describe(line: dict[str, float]) -> str:
    """A line of progress in words: the step, the terms of the loss, and how long it will take yet.

    :param line: "step", "minutes" (spent), "done" (share of the whole) and the terms.
    """
    terms = [f"{name} {value:.3g}" for name, value in line.items() if name not in ("step", "minutes", "done")]
    left = line["minutes"] * (1 / line["done"] - 1) if line["done"] > 0 else float("inf")
    words = f"{left:.0f} min left" if left >= 1 else "less than a minute left"
    return " · ".join([f"step {line['step']:.0f}", *terms, words])


def _say(as_json: bool, what: str, path: Path) -> None:
    if as_json:
        typer.echo(json.dumps({what: str(path)}))
    else:
        Console().print(f"{what}: {path}", soft_wrap=True, markup=False)
