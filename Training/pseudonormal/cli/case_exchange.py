"""``pseudonormal cases export, compare, consensus``: from the store to the world, and among readers."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from pseudonormal.cli.case_store import Annotator, AsJson, StoreFolder, opened, said
from pseudonormal.cli.choices import Out
from pseudonormal.cli.places import check_writable

Layout = Literal["datalist", "bids", "cases"]


def export_cases(
    out: Out,
    layout: Annotated[
        Layout, typer.Option("--as", help="MONAI datalist, BIDS derivatives, or the CSV that train and evaluate read.")
    ] = "datalist",
    state: Annotated[
        list[str] | None, typer.Option(metavar="STATE", help="Which revisions to take; accepted ones if not given.")
    ] = None,
    store: StoreFolder = None,
    as_json: AsJson = False,
) -> None:
    """Write scans and their reviewed masks into a folder, to train on or to pass on."""
    from pseudonormal.store import exchange

    check_writable(out)
    write = {"datalist": exchange.export_datalist, "bids": exchange.export_bids, "cases": exchange.export_cases}[layout]
    with opened(store) as cases:
        written = write(cases, out, states=tuple(state or ("accepted",)))
    said(as_json, {"exported": str(written)}, f"exported: {written}")


def compare(
    first: Annotated[str, typer.Argument(metavar="REVISION", help="A revision's id.")],
    second: Annotated[str, typer.Argument(metavar="REVISION", help="Another one of the same case.")],
    store: StoreFolder = None,
    as_json: AsJson = False,
) -> None:
    """Say how far two revisions agree."""
    from pseudonormal.store.agreement import compare as measure

    with opened(store) as cases:
        found = measure(cases, first, second)
    distance = "–" if found.hausdorff95_mm is None else f"{found.hausdorff95_mm:.1f} mm"
    volumes = f"{found.volume_a_ml:.2f} and {found.volume_b_ml:.2f} ml"
    said(as_json, found, f"Dice {found.dice:.3f}; {volumes}; 95 % of the surfaces within {distance}")


def consensus(
    case: Annotated[str, typer.Argument(metavar="CASE", help="A case's id.")],
    revisions: Annotated[list[str], typer.Argument(metavar="REVISION...", help="Two or more revisions of it.")],
    annotator: Annotator,
    store: StoreFolder = None,
    as_json: AsJson = False,
) -> None:
    """Add what several revisions say together (STAPLE) as a new one, to be accepted or corrected."""
    from pseudonormal.store.agreement import consensus as agree

    with opened(store) as cases:
        lease = cases.lease(case, annotator)
        try:
            revision = agree(cases, case, revisions, author=annotator, lease=lease.token)
        finally:
            cases.release(lease.token)
    said(as_json, revision, f"{case}: consensus as {revision.id}; {revision.comment}")
