"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Out = Annotated[Path, typer.Option("-o", "--out", metavar="OUT", help="Output folder; made if missing.")]
Cases = Annotated[
    Path,
    typer.Argument(
        metavar="CASES",
        help="CSV with the columns case,subject,split,image,mask,normal,foreground; paths are relative to it.",
    ),
]
Device = Annotated[
    str, typer.Option(metavar="auto|cpu|cuda[:N]", help="Where the model runs; auto takes a GPU if there is one.")
]
Brain = Annotated[
    str, typer.Option(help="Finds the brain in scans without a foreground: a model, or a run of recipe brain.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print progress and results as one JSON object a line.")]
Shapes = Annotated[
    Path | None,
    typer.Option(metavar="FOLDER", help="Lesion masks whose shapes are used, besides CASES' rows without an image."),
]
