"""``pseudonormal cases add, import``: what comes into the store."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pseudonormal.cli.case_store import AsJson, StoreFolder, opened, said
from pseudonormal.cli.failure import AT_FAULT, say
from pseudonormal.cli.progress import Talk
from pseudonormal.errors import InputError

Volume = Annotated[int | None, typer.Option(metavar="N", min=0, help="Which volume of a 4D file, counted from 0.")]


def add(
    images: Annotated[
        list[Path], typer.Argument(metavar="IMAGE...", help="NIfTI, NRRD, MHA/MHD, or a folder with one DICOM series.")
    ],
    mask: Annotated[Path | None, typer.Option(metavar="FILE", help="Its lesion mask: the first revision.")] = None,
    weights: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="How far each voxel of the mask is to be trusted, 0 to 1; decides its turn."),
    ] = None,
    results: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="What pseudonormal generate wrote: its output folder, or that of one case. Mask, pseudo-normal, "
            "difference and findings are taken over.",
        ),
    ] = None,
    subject: Annotated[
        str | None, typer.Option(metavar="KEY", help="Tells persons apart; the store keeps a keyed hash of it.")
    ] = None,
    contrast: Annotated[
        str, typer.Option(metavar="NAME", help="Kind of scan, for instance T1w; else as the results say.")
    ] = "",
    priority: Annotated[
        float | None,
        typer.Option(metavar="NUMBER", help="The higher, the sooner it is due; else told from findings or mask."),
    ] = None,
    volume: Volume = None,
    store: StoreFolder = None,
    as_json: AsJson = False,
) -> None:
    """Add scans; the store is made where there is none. Names of patients and files are not kept.

    Large and doubtful findings are given out first; without results a mask is as likely wrong as its weights say, and
    without weights as likely wrong as right.
    Scans without a mask come last, in the order in which they were added. A scan that cannot be used is named, and the
    others are added.
    """
    if len(images) > 1 and mask is not None:
        raise InputError(f"--mask: belongs to one scan, but {len(images)} are given; give one scan a call")
    if weights is not None and mask is None:
        raise InputError("--weights: belong to a mask; give it with --mask")
    from pseudonormal.store.results import results_of

    added = 0
    with opened(store, make=True) as cases:
        for image in images:
            try:
                made = results_of(image, results, volume) if results is not None else None
                case = cases.add_case(
                    image,
                    volume=volume,
                    mask=mask or (made.mask if made else None),
                    weights=weights,
                    volumes=made.volumes if made else None,
                    model=made.model if made else None,
                    report=made.report if made else None,
                    priority=priority,
                    subject=subject,
                    contrast=contrast or (made.contrast if made else ""),
                )
            except InputError as error:
                say(str(error))
                continue
            added += 1
            said(as_json, case, f"{case.id}: added")
    if added < len(images):
        raise typer.Exit(AT_FAULT)


def import_cases(
    images: Annotated[Path, typer.Argument(metavar="FOLDER", help="Scans: a flat folder, nnU-Net's, or BIDS.")],
    masks: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Lesion masks with the scans' names, where they lie apart.")
    ] = None,
    pattern: Annotated[str, typer.Option(metavar="GLOB", help="Which files of FOLDER are scans.")] = "**/*",
    volume: Volume = None,
    store: StoreFolder = None,
    as_json: AsJson = False,
) -> None:
    """Take a folder of scans, and the lesion masks that belong to them, into the store.

    Large masks are given out first, scans without a mask last. Scans that the store has already are passed over, so
    that an interrupted import goes on when it is called again.
    """
    from pseudonormal.store.exchange import import_folder

    with Talk(as_json) as talk, opened(store, make=True) as cases:
        added = import_folder(cases, images, masks, pattern=pattern, volume=volume, progress=talk.progress)
        talk.record("result", cases=[case.id for case in added])
        talk.lines(f"cases added: {len(added)}")
