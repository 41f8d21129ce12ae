"""``pseudonormal synthesize``: annotated scans that nobody acquired."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from pseudonormal.cli.choices import AsJson, Cases, Device, Out
from pseudonormal.cli.places import check_writable, sweep
from pseudonormal.cli.progress import Talk

LIST_SECONDS = 20.0


def synthesize(
    bundle: Annotated[
        Path,
        typer.Argument(
            metavar="BUNDLE",
            help="Folder of a finished run of a recipe that makes scans (um, translation).",
        ),
    ],
    cases: Cases,
    out: Out,
    count: Annotated[int, typer.Option("-n", "--count", metavar="N", min=1, help="How many there shall be.")] = 100,
    extent: Annotated[
        str, typer.Option(metavar="scan|slab", help="Whole scans, or three axial slices each (models of slices).")
    ] = "scan",
    masks: Annotated[
        Path | None,
        typer.Option(metavar="RUN", help="Run of recipe mask-gan that draws the lesions (models of translation)."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same files.")] = 0,
    workers: Annotated[int, typer.Option(metavar="N", min=1, help="Processes that make scans.")] = 1,
    store: Annotated[
        Path | None,
        typer.Option("--store", metavar="DIR", help="Also take the scans into this case store, as synthetic cases."),
    ] = None,
    model: Annotated[
        str, typer.Option(metavar="NAME", help="Model that finds the brain where CASES names no foreground.")
    ] = "brain-mr",
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Make annotated scans from those of split train, with masks or without: image and mask pairs.

    Writes OUT/<case>/ with image, mask, foreground and record.json (where it comes from), OUT/cases.csv, a list for
    train --also in which each case is marked synthetic, and OUT/contact_sheet.png. With --store they become synthetic
    cases, which nobody is given to review and retrain learns from. A call that was interrupted, killed too, goes on
    where it was; a greater N adds to what is there.
    """
    check_writable(out)
    from pseudonormal.cases import read_cases
    from pseudonormal.cli.case_store import opened
    from pseudonormal.models.device import choose_device
    from pseudonormal.recipes.brain_finder import BrainFinder
    from pseudonormal.recipes.synthesizer import Wanted
    from pseudonormal.synthesize.dataset import LIST, SHEET, Plan, begin, make_all, missing, write_list
    from pseudonormal.synthesize.keeping import take_in
    from pseudonormal.synthesize.opening import open_synthesizer, sources
    from pseudonormal.synthesize.sheet import write_sheet

    chosen = sources(read_cases(cases))
    where = choose_device(device)
    with Talk(as_json) as talk:
        talk.progress(0, count, "reading the cases")
        maker = open_synthesizer(bundle, chosen, BrainFinder(model, where), Wanted(where, extent, masks))
        plan = Plan(maker.recipe, maker.fingerprint, seed)
        begin(out, plan)
        sweep(out)
        left = missing(out, plan, count)
        listed = time.monotonic()
        for done, record in enumerate(
            make_all(maker.synthesizer, out, plan, left, workers), start=count - len(left) + 1
        ):
            talk.progress(done, count, str(record["case"]))
            if time.monotonic() - listed > LIST_SECONDS:  # what is there can be used, whatever comes
                write_sheet(out / SHEET, out, write_list(out, plan, count))
                listed = time.monotonic()
        records = write_list(out, plan, count)
        write_sheet(out / SHEET, out, records)
        added = 0
        if store is not None:
            with opened(store, make=True) as case_store:
                added = take_in(
                    case_store,
                    out,
                    records,
                    lambda done, case: talk.progress(done, len(records), f"keeping {case}", stage="keeping"),
                )
        with_lesion = sum(record["lesion_ml"] > 0 for record in records)
        talk.record(
            "result", list=str(out / LIST), sheet=str(out / SHEET), cases=len(records), made=len(left),
            with_lesion=with_lesion, added=added,
        )  # fmt: skip
        talk.lines(
            f"{len(records)} synthetic cases, {with_lesion} of them with a lesion; {len(left)} made now",
            f"list: {out / LIST} · contact sheet: {out / SHEET}",
            *([] if store is None else [f"added to {store}, as synthetic cases: {added}"]),
        )
