"""``pseudonormal generate``: from scans to pseudo-normals."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pseudonormal.cli.choices import AsJson, Device, Out
from pseudonormal.cli.cores import use_all_cores
from pseudonormal.cli.failure import AT_FAULT, say
from pseudonormal.cli.places import check_writable, name_cases, sweep
from pseudonormal.cli.progress import Talk
from pseudonormal.errors import InputError
from pseudonormal.generate.stages import MOST_REACH_MM, share_before
from pseudonormal.scan.contrast import Contrast

if TYPE_CHECKING:
    from pseudonormal.generate.pipeline import Options
    from pseudonormal.models.bundle import Model
    from pseudonormal.report.model import Report

Mode = Literal["auto", "void", "guided"]
SHOWN = 12


def generate(  # noqa: PLR0913, PLR0917 - a command has as many arguments as options
    inputs: Annotated[
        list[Path],
        typer.Argument(metavar="INPUT...", help="NIfTI, NRRD, MHA/MHD, or a folder holding one DICOM series."),
    ],
    out: Out,
    mask: Annotated[
        Path | None, typer.Option(help="Your lesion mask, instead of the lesions that the model finds.")
    ] = None,
    foreground: Annotated[
        Path | None, typer.Option(help="Your brain mask, instead of the one that the model finds.")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Name or folder of a model; else brain-mr, or one that knows the contrast where that does not.",
        ),
    ] = None,
    recipe: Annotated[
        str | None, typer.Option(metavar="NAME", help="Restore with a classical fill instead, e.g. biharmonic.")
    ] = None,
    mode: Annotated[
        Mode,
        typer.Option(help="void: the lesion's own intensities are not looked at; guided: they are; auto: as suits."),
    ] = "auto",
    texture: Annotated[
        bool, typer.Option("--texture", help="Add grain like the surrounding's for the eye; never in the difference.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the grain.")] = 0,
    volume: Annotated[
        int | None, typer.Option(metavar="N", min=0, help="Which volume of a 4D file, counted from 0.")
    ] = None,
    reach: Annotated[
        float,
        typer.Option(
            metavar="MM",
            min=0,
            max=MOST_REACH_MM,
            help="Also write wide_difference_z.nii.gz, which sees so far beyond the mask: to find what it missed.",
        ),
    ] = 0.0,
    contrast: Annotated[
        Contrast | None,
        typer.Option(help="The scan's contrast: stands in the report, chooses the model, and changes no number."),
    ] = None,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Show what scans would look like without their lesions, and where they differ.

    Writes OUT/<case>/ with pseudo_normal.nii.gz, difference.nii.gz, difference_z.nii.gz, confidence.nii.gz,
    lesion_mask.nii.gz, lesion.seg.nrrd, report.json and report.html for each input.
    """
    if len(inputs) > 1 and (mask or foreground):
        option = "--mask" if mask else "--foreground"
        raise InputError(f"{option}: belongs to one scan, but {len(inputs)} inputs are given; give one input a call")
    check_writable(out)
    with Talk(as_json) as talk:
        talk.progress(0, len(inputs), "loading")
        from pseudonormal.generate.outputs import case_name
        from pseudonormal.generate.pipeline import Options
        from pseudonormal.models.bundle import DEFAULT_MODEL, load_model
        from pseudonormal.models.choosing import fitting_bundle
        from pseudonormal.models.device import choose_device
        from pseudonormal.report.model import NOTICE

        cases = name_cases([(source, case_name(source)) for source in inputs], out)
        fill = classical(recipe) if recipe else None
        options = Options(mask, foreground, mode, texture, seed, volume, fill, reach, contrast)
        use_all_cores()
        chosen = model or str(fitting_bundle(DEFAULT_MODEL, contrast))
        loaded = load_model(chosen, choose_device(device))
        sweep(out)
        done = [
            _generate_one(case, source, out, (number, len(cases)), loaded, options, talk)
            for number, (case, source) in enumerate(cases.items())
        ]
        if any(done):
            talk.lines(NOTICE, quiet=True)
    if not all(done):
        raise typer.Exit(AT_FAULT)


def _generate_one(
    case: str, source: Path, out: Path, place: tuple[int, int], model: Model, options: Options, talk: Talk
) -> bool:
    """One input's way; whether it could be used. What is wrong with it is said here, so that the others go on."""
    try:
        report = _run(case, source, out, place, model, options, talk)
    except InputError as error:
        talk.record("error", case=case, input=str(source), message=str(error))
        with talk.aside():
            say(str(error))
        return False
    folder = out / case
    talk.record("result", case=case, input=str(source), folder=str(folder), report=report.model_dump(mode="json"))
    talk.lines(*_findings(report), f"  report: {folder / 'report.html'}")
    return True


def _run(
    case: str, source: Path, out: Path, place: tuple[int, int], model: Model, options: Options, talk: Talk
) -> Report:
    from pseudonormal.generate.outputs import write_result
    from pseudonormal.generate.pipeline import generate as run

    number, total = place
    counter = f"{number + 1}/{total} " if total > 1 else ""

    def at(stage: str) -> None:
        talk.progress(number + share_before(stage), total, f"{counter}{case}: {stage}", case=case, stage=stage)

    result = run(source, model, options, at)
    at("write")
    return write_result(result, out, case, model, options)


def classical(name: str):  # type: ignore[no-untyped-def]  # noqa: ANN201 - the type's module is slow to import
    """The classical recipe of a name.

    :raises InputError: there is none.
    """
    from pseudonormal.recipes.classical import CLASSICAL

    if name not in CLASSICAL:
        raise InputError(f"--recipe {name}: not known; name one of {', '.join(CLASSICAL)}")
    return CLASSICAL[name]


def _findings(report: Report) -> list[str]:
    """What was found, in lines for people."""
    from pseudonormal.report.writing import millilitres, signed, summary

    lines = [f"{report.case}: {summary(report)}"]
    lines += [
        f"  {finding.index:>3}  {millilitres(finding.volume_ml):>6} ml  mean z {signed(finding.mean_z):>6}  "
        f"{finding.position}"
        for finding in report.findings[:SHOWN]
    ]
    if len(report.findings) > SHOWN:
        lines.append(f"       and {len(report.findings) - SHOWN} smaller ones")
    return lines + [f"  note: {warning}" for warning in report.warnings]
