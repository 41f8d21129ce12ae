"""``pseudonormal models``: which models there are, what they are, and how they come and go."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markdown import Markdown
from rich.table import Table

from pseudonormal.cli.calibrate import calibrate
from pseudonormal.cli.model_versions import history, promote, rollback
from pseudonormal.cli.pack import pack

app = typer.Typer(help="List, show, import and export models; which version of each is current.", no_args_is_help=True)
app.command()(pack)
app.command()(calibrate)
app.command()(history)
app.command()(promote)
app.command()(rollback)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
def list_models(as_json: AsJson = False) -> None:
    """List the models that --model can name."""
    from pseudonormal.models.bundle import model_folders, read_metadata

    rows = []
    for name, folder in model_folders().items():
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6
        version = str(read_metadata(folder).get("version", "?"))
        rows.append({"name": name, "version": version, "megabytes": round(size, 1), "folder": str(folder)})
    if as_json:
        typer.echo(json.dumps(rows))
        return
    table = Table("name", "version", "size", "where")
    for row in rows:
        table.add_row(str(row["name"]), str(row["version"]), f"{row['megabytes']} MB", str(row["folder"]))
    Console().print(table if rows else "There is no model: import one with pseudonormal models import.")


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="A model's name, or the folder of a bundle.")] = "brain-mr",
    as_json: AsJson = False,
) -> None:
    """Print a model's card and its calibration; its weights are checked first."""
    from dataclasses import asdict

    from pseudonormal.models.bundle import find_bundle, load_model

    folder, model = find_bundle(name), load_model(name)
    card = folder / "docs" / "README.md"
    text = card.read_text(encoding="utf-8") if card.is_file() else "(This model has no card.)"
    facts = {
        "name": model.name,
        "version": model.version,
        "fingerprint": model.fingerprint,
        "trained_families": list(model.trained_families),
        "trained_contrasts": list(model.trained_contrasts),
        "calibration": asdict(model.calibration),
    }
    if as_json:
        typer.echo(json.dumps({**facts, "folder": str(folder), "card": text}))
        return
    console = Console()
    console.print(Markdown(text))
    table = Table("calibration", "value", title=f"{model.name} {model.version}")
    for key, value in asdict(model.calibration).items():
        table.add_row(key, f"{value:g}")
    console.print(table)
    console.print(f"lesion families seen in training: {', '.join(model.trained_families)}")
    console.print(f"contrasts trained for: {', '.join(model.trained_contrasts) or 'not told'}")
    console.print(f"fingerprint: {model.fingerprint}", soft_wrap=True)


@app.command("import")
def import_model(
    source: Annotated[Path, typer.Argument(help="A bundle's folder, or a .zip of one.")],
    name: Annotated[str | None, typer.Option(help="What to call it; else as its folder is called.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Take the place of a model of that name.")] = False,
    as_json: AsJson = False,
) -> None:
    """Check a bundle and add it to the models."""
    from pseudonormal.models.exchange import import_bundle

    folder = import_bundle(source, name=name, replace=replace)
    _done(as_json, "imported", folder)


@app.command("export")
def export_model(
    name: Annotated[str, typer.Argument(help="A model's name, or the folder of a bundle.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The .zip to write.")],
    as_json: AsJson = False,
) -> None:
    """Write a model as a .zip that another machine can import."""
    from pseudonormal.models.exchange import export_bundle

    export_bundle(name, output)
    _done(as_json, "exported", output)


def _done(as_json: bool, what: str, path: Path) -> None:
    if as_json:
        typer.echo(json.dumps({what: str(path)}))
    else:
        Console().print(f"{what}: {path}", soft_wrap=True, markup=False)
