"""``pseudonormal cases``: the case store, from adding scans to accepting masks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, cast

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from pseudonormal.cli.case_adding import add, import_cases
from pseudonormal.cli.case_exchange import compare, consensus, export_cases
from pseudonormal.cli.case_store import Annotator, AsJson, StoreFolder, opened, print_json, said
from pseudonormal.cli.failure import AT_FAULT, say
from pseudonormal.errors import InputError

if TYPE_CHECKING:
    from pseudonormal.store.records import RevisionRecord, State, Status
    from pseudonormal.store.store import Store

CaseId = Annotated[str, typer.Argument(metavar="CASE", help="A case's id.")]
Comment = Annotated[str, typer.Option(metavar="TEXT", help="What others should know. Name no patient.")]
Decided = Literal["accepted", "needs_second_reader"]
By = Literal["uncertainty", "random"]

app = typer.Typer(help="The case store: scans, and the revisions of their lesion masks.", no_args_is_help=True)


@app.command("list")
def list_cases(
    status: Annotated[
        str | None, typer.Option(help="Only these: new, draft, accepted, needs_second_reader, rejected or synthetic.")
    ] = None,
    text: Annotated[str, typer.Option(help="Only cases with this in their id, contrast, model or annotator.")] = "",
    limit: Annotated[int, typer.Option(metavar="N", min=0, help="How many at most.")] = 100,
    offset: Annotated[int, typer.Option(metavar="N", min=0, help="How many to pass over.")] = 0,
    store: StoreFolder = None,
    as_json: AsJson = False,
) -> None:
    """List cases in the order in which they are given out."""
    with opened(store) as cases:
        found, total = cases.cases(status=cast("Status | None", status), text=text, limit=limit, offset=offset)
    if as_json:
        print_json({"cases": found, "total": total})
        return
    table = Table(
        Column("case", no_wrap=True), "status", "priority", "contrast", "findings", "ml", "revisions", "held by"
    )
    for case in found:
        priority = "" if case.priority is None else f"{case.priority:g}"
        numbers = (str(case.findings), f"{case.volume_ml:.2f}", str(case.revisions))
        table.add_row(case.id, case.status, priority, escape(case.contrast), *numbers, escape(case.leased_by or ""))
    Console().print(table)
    if len(found) < total:
        Console().print(f"{len(found)} of {total} cases; see --limit and --offset", highlight=False)


@app.command()
def show(case: CaseId, store: StoreFolder = None, as_json: AsJson = False) -> None:
    """Show a case and the history of its mask."""
    with opened(store) as cases:
        record, history, volumes = cases.case(case), cases.history(case), cases.volumes(case)
        report, image = cases.report(case), cases.volume_path(case, "image")
    if as_json:
        print_json({"case": record, "history": history, "volumes": volumes, "report": report})
        return
    console = Console()
    held = f", held by {record.leased_by} until {record.lease_until:%H:%M} UTC" if record.lease_until else ""
    console.print(f"{record.id}: {record.status}{held}", markup=False, highlight=False)
    console.print(f"volumes: {', '.join(volumes)}; image: {image}", markup=False, highlight=False, soft_wrap=True)
    for revision in history:
        console.print(_in_words(revision), markup=False, highlight=False, soft_wrap=True)


@app.command()
def prioritise(
    by: Annotated[By, typer.Option(help="What the order follows; random is the control.")] = "uncertainty",
    seed: Annotated[int, typer.Option(metavar="N", help="Of the random order.")] = 0,
    store: StoreFolder = None,
    as_json: AsJson = False,
) -> None:
    """Set anew in which order all cases are given out, also those that --priority was given for.

    First come the cases in which the model expects to be wrong in much, by their report, unlike those before them and
    those that are done; without a report a mask counts as being as likely wrong as right. Cases without a mask come
    last, in the order in which they were added.
    """
    from pseudonormal.store.priority import prioritise as order

    with opened(store) as cases:
        total = order(cases, seed=seed if by == "random" else None)
    said(as_json, {"cases": total, "by": by}, f"cases put in order: {total}")


@app.command("next")
def next_case(annotator: Annotator, store: StoreFolder = None, as_json: AsJson = False) -> None:
    """Take the next case; nobody else gets it for the time being."""
    with opened(store) as cases:
        lease = cases.next_case(annotator)
    if lease is None:
        said(as_json, {"case": None}, "no case is waiting")
    else:
        until = f"{lease.expires:%H:%M} UTC"
        said(as_json, lease, f"{lease.case.id}: yours until {until}; lease {lease.token}")


@app.command()
def accept(
    case: CaseId,
    annotator: Annotator,
    mask: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The corrected mask; else the newest one is accepted.")
    ] = None,
    state: Annotated[Decided, typer.Option(help="What becomes of the case.")] = "accepted",
    comment: Comment = "",
    store: StoreFolder = None,
    as_json: AsJson = False,
) -> None:
    """Accept a case's mask, as it is or corrected."""
    with opened(store) as cases:
        revision = _decide(cases, case, annotator, state, mask, comment)
    said(as_json, revision, f"{case}: {state.replace('_', ' ')} as {revision.id}")


@app.command()
def reject(
    case: CaseId, annotator: Annotator, comment: Comment = "", store: StoreFolder = None, as_json: AsJson = False
) -> None:
    """Reject a case: nothing will be learnt from it. Its mask stays in the history."""
    with opened(store) as cases:
        revision = _decide(cases, case, annotator, "rejected", None, comment)
    said(as_json, revision, f"{case}: rejected as {revision.id}")


@app.command()
def check(store: StoreFolder = None, as_json: AsJson = False) -> None:
    """Verify every file against its hash and every link between records.

    Exit code 2 when something is lost or changed. What an interrupted program left behind is named as a warning.
    """
    with opened(store) as cases:
        problems = cases.check()
        total = cases.cases(limit=0)[1]
    lost = [problem for problem in problems if problem.severity == "error"]
    left_behind = [str(problem) for problem in problems if problem.severity == "warning"]
    summary = f"cases: {total}; errors: {len(lost)}" if lost else f"cases: {total}; everything is in order"
    said(as_json, {"problems": problems, "cases": total}, "\n".join([*left_behind, summary]))
    for problem in lost:
        say(str(problem))
    if lost:
        raise typer.Exit(AT_FAULT)


app.command()(add)
app.command("import")(import_cases)
app.command("export")(export_cases)
app.command()(compare)
app.command()(consensus)


def _decide(
    store: Store, case_id: str, annotator: str, state: State, mask: Path | None, comment: str
) -> RevisionRecord:
    """Take a case, add what was decided about it, give it back."""
    import numpy as np

    lease = store.lease(case_id, annotator)
    try:
        head = lease.case.head
        if mask is None and head is None and state != "rejected":
            raise InputError(f"{case_id}: has no mask yet; give one with --mask")
        path = mask or (store.mask_path(head) if head else None)
        lesion = store.read_mask(case_id, path) if path else np.zeros(store.geometry(case_id).shape, bool)
        # Whoever takes a mask as it is takes what its reader did not trust with it.
        distrusted = store.weights_path(head) if mask is None and head else None
        weights = store.read_weights(case_id, distrusted) if distrusted else None
        return store.add_revision(
            case_id, lesion, lease=lease.token, state=state, parent=head, comment=comment, weights=weights
        )
    finally:
        store.release(lease.token)


def _in_words(revision: RevisionRecord) -> str:
    made = f"{revision.state} by {revision.author}, {revision.created:%Y-%m-%d %H:%M} UTC"
    found = f"{revision.findings} findings, {revision.volume_ml:.2f} ml"
    return f"  {revision.id}  {made}; {found}" + (f": {revision.comment}" if revision.comment else "")
