"""``pseudonormal models pack``: three finished runs become a model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from pseudonormal.errors import InputError


def pack(
    brain: Annotated[Path, typer.Argument(help="Finished run of recipe brain.")],
    lesion: Annotated[Path, typer.Argument(help="Finished run of recipe lesion.")],
    restore: Annotated[Path, typer.Argument(help="Finished run of recipe restore.")],
    output: Annotated[Path, typer.Argument(help="The bundle's folder; its name is the model's.")],
    version: Annotated[str, typer.Option(help="The model's version.")],
    card: Annotated[Path, typer.Option(help="Model card, Markdown.")],
    licence: Annotated[Path, typer.Option(help="Licence text of the weights.")],
    data: Annotated[str, typer.Option(help="What it was trained on, with licences, in one line.")],
    description: Annotated[str, typer.Option(help="What it does, in one line.")] = "Pseudo-normal brain MR",
    calibration: Annotated[
        Path | None, typer.Option(help="JSON with numbers chosen on validation subjects; else defaults.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Make a model of three finished runs, with weights in half precision."""
    from pseudonormal.models.packing import pack as pack_runs
    from pseudonormal.models.packing import read_calibration
    from pseudonormal.painting.contrast import SEQUENCES, WITH_AGENT
    from pseudonormal.recipes.restore import FAMILY_ODDS

    try:
        readme = card.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{card}: cannot be read: give the model card as Markdown in UTF-8") from error
    if not licence.is_file():
        raise InputError(f"{licence}: there is no such file: give the licence text of the weights")
    changes = pack_runs(
        {"brain": brain, "lesion": lesion, "restore": restore},
        output,
        card={
            "version": version,
            "description": description,
            "data": data,
            "readme": readme,
            "trained_families": list(FAMILY_ODDS),
            "trained_contrasts": [*SEQUENCES, WITH_AGENT],
        },
        calibration=read_calibration(calibration),
        licence=licence,
    )
    if as_json:
        typer.echo(json.dumps({"model": str(output), "rounding": changes}))
        return
    console = Console()
    console.print(f"model: {output}", soft_wrap=True, markup=False)
    for key, change in changes.items():
        console.print(f"{key}: half precision changes its output by at most {change:.2%} of a standard deviation")
