"""``pseudonormal train``: train one network of a model."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn

from pseudonormal.cli.choices import Brain
from pseudonormal.cli.failure import INTERRUPTED, say
from pseudonormal.errors import InputError

if TYPE_CHECKING:
    from pseudonormal.recipes.training import TrainingRecipe
    from pseudonormal.training.settings import Settings

Report = Callable[[dict[str, float]], None]


def train(
    recipe: Annotated[str, typer.Argument(help="How to train; an unknown name lists those that there are.")],
    cases: Annotated[Path, typer.Argument(help="CSV list of cases; those of split 'train' are learnt from.")],
    run: Annotated[Path, typer.Option("--output", "-o", help="Folder of the run: log, checkpoint, weights.")],
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="Change a setting or an option of the recipe; may be repeated."
        ),
    ] = None,
    also: Annotated[
        list[Path] | None,
        typer.Option("--also", metavar="CASES", help="A further list, as synthesize writes it; may be repeated."),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in that folder.")] = False,
    start: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="Begin with the weights of a model, or of a run that has ended."),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    brain: Brain = "brain-mr",
    tensorboard: Annotated[bool, typer.Option("--tensorboard", help="Also write the curves for TensorBoard.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print progress and result as JSON lines.")] = False,
) -> None:
    """Train networks from a list of cases, for instance recipe lesion (finds lesions) or restore (removes them).

    Ctrl-C keeps what was learnt; --resume goes on from there, and after a crash from the last checkpoint. With
    torchrun before it (torchrun --nproc-per-node 4 -m pseudonormal train ...) several processes or GPUs share the work.
    """
    from pseudonormal.cases import read_lists
    from pseudonormal.models.beginning import beginning_weights
    from pseudonormal.models.device import choose_device
    from pseudonormal.recipes.brain_finder import BrainFinder
    from pseudonormal.recipes.training import find_recipe
    from pseudonormal.training.checkpoints import Checkpoints
    from pseudonormal.training.curves import tensorboard_curves
    from pseudonormal.training.interrupt import Stopped, stop_on_interrupt
    from pseudonormal.training.streams import load_streams
    from pseudonormal.training.trainer import train as train_networks

    tells = os.environ.get("RANK", "0") == "0"  # torchrun numbers its processes; the first speaks for all
    console = Console(stderr=True, quiet=not tells)
    chosen = find_recipe(recipe)
    where = choose_device(device)
    how, options = _settings(recipe, chosen, run, settings or [], resume)
    how = replace(how, device=str(where))
    _check(run, resume, start, begun=Checkpoints(run).exist())
    listed = read_lists([cases, *(also or [])])
    streams = load_streams(listed, foreground_of=BrainFinder(brain, where))
    synthetic = sum(case.synthetic for case in listed)
    if synthetic and tells:
        say(f"{synthetic} of {len(listed)} cases are synthetic; they are learnt from, never checked on")
    if not as_json:
        console.print(f"[bold]{recipe}[/bold]: {chosen.explanation}")
    with console.status("reading the cases"):
        trainable = chosen.build(streams, options)
    begun = {} if start is None else beginning_weights(start, trainable.networks())
    try:
        with ExitStack() as within:
            curves = within.enter_context(tensorboard_curves(run)) if tensorboard else None
            stop = within.enter_context(stop_on_interrupt())
            report = within.enter_context(_reporting(console, as_json))

            def progress(line: dict[str, float]) -> None:
                report(line)
                if curves:
                    curves(line)

            weights = train_networks(
                trainable, run, how, start=begun, resume=resume, progress=progress, warn=say, stop=stop
            )
    except Stopped:
        if tells:
            _say(as_json, "stopped", run)
            if not as_json:
                console.print(f"To go on: pseudonormal train {recipe} {cases} -o {run} --resume", soft_wrap=True)
        raise typer.Exit(INTERRUPTED) from None
    for path in weights.values() if tells else ():
        _say(as_json, "weights", path)


def _check(run: Path, resume: bool, start: str | None, *, begun: bool) -> None:
    if not resume and begun:
        raise InputError(f"{run}: holds a run already; give --resume to continue it or another folder")
    if resume and start:
        raise InputError("--start: a run that is resumed goes on with its own weights: leave one of the two away")


def _settings(recipe: str, chosen: TrainingRecipe, run: Path, pairs: list[str], resume: bool) -> tuple[Settings, Any]:
    """The recipe's settings and options, or those of the run to resume, changed by the user's."""
    from pseudonormal.training.settings import read_options, read_settings, with_overrides

    settings, options = chosen.settings, chosen.default_options()
    if resume:
        begun, settings = read_settings(run)
        if begun != recipe:
            raise InputError(f"{run}: holds a run of recipe {begun}: resume that one, or give another folder")
        options = read_options(run, options)
    return with_overrides(settings, options, pairs)


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

    :param line: see :func:`pseudonormal.training.trainer.train`.
    """
    known = ("step", "minutes", "minutes_left", "done")
    terms = [f"{name} {value:.3g}" for name, value in line.items() if name not in known]
    words = f"{line['minutes_left']:.0f} min left" if line["minutes_left"] >= 1 else "less than a minute left"
    return " · ".join([f"step {line['step']:.0f}", *terms, words])


def _say(as_json: bool, what: str, path: Path) -> None:
    if as_json:
        typer.echo(json.dumps({what: str(path)}))
    else:
        Console().print(f"{what}: {path}", soft_wrap=True, markup=False)
