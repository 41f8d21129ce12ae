"""``pseudonormal models history|promote|rollback``: the versions of a model, and which one is current."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from pseudonormal.errors import InputError

if TYPE_CHECKING:
    from pseudonormal.models.versions import Entry

Name = Annotated[str, typer.Argument(help="A model's name.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def history(name: Name = "brain-mr", as_json: AsJson = False) -> None:
    """List a model's versions: where each comes from, how good it is, and which one is current."""
    from pseudonormal.models.registry import Registry

    entries = Registry().entries(name)
    if not entries:
        raise InputError(f"model '{name}' has no versions in the registry: pseudonormal retrain makes the first")
    if as_json:
        typer.echo(json.dumps([entry.as_json() for entry in entries]))
        return
    metrics = sorted({metric for entry in entries for metric in entry.metrics})
    table = Table(Column("version", no_wrap=True), "state", "from", "created", *metrics, "against its parent")
    for entry in entries:
        numbers = [f"{entry.metrics[metric]:.3f}" if metric in entry.metrics else "" for metric in metrics]
        table.add_row(
            entry.version, entry.state, entry.parent or "elsewhere", entry.created[:16], *numbers, _verdict(entry)
        )
    Console().print(table)


def promote(
    name: Name,
    version: Annotated[str, typer.Argument(help="The version that the plain name shall mean.")],
    force: Annotated[
        bool, typer.Option("--force", help="Also when it is worse than the current one, or nobody can tell.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make a version current. One that is worse beyond the confidence interval is refused."""
    from pseudonormal.models.registry import Registry

    _say(as_json, Registry().promote(name, version, force))


def rollback(name: Name, as_json: AsJson = False) -> None:
    """Go back to the version that was current before. Nothing is removed."""
    from pseudonormal.models.registry import Registry

    _say(as_json, Registry().rollback(name))


def _say(as_json: bool, entry: Entry) -> None:
    if as_json:
        typer.echo(json.dumps(entry.as_json()))
    else:
        typer.echo(f"current: {entry.name}:{entry.version}")


def _verdict(entry: Entry) -> str:
    comparison = entry.comparisons.get(entry.parent or "")
    if comparison is None:
        return ""
    if not comparison.told:
        return "cannot be told"
    return "worse" if comparison.worse else "better" if comparison.better else "alike"
