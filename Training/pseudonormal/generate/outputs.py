"""Write a result: the files of one case, all of them or none."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import numpy as np

from pseudonormal import __version__
from pseudonormal.generate.pipeline import Options, Result
from pseudonormal.models.bundle import Model
from pseudonormal.report.model import BrainFacts, FindingEntry, InputFacts, ModelFacts, Report
from pseudonormal.report.pictures import Pictures
from pseudonormal.report.writing import write_report
from pseudonormal.scan.atomic import OutputFolder
from pseudonormal.scan.writing import write_image, write_like, write_segmentation

SUFFIXES = (".nii.gz", ".nii", ".nrrd", ".nhdr", ".mha", ".mhd")


def case_name(source: Path) -> str:
    """The case's name: the file's without its suffix, or the DICOM folder's."""
    name = source.resolve().name
    return next((name[: -len(s)] for s in SUFFIXES if name.lower().endswith(s) and len(name) > len(s)), name)


def write_volumes(result: Result, folder: Path) -> None:
    """Write a result's volumes as NIfTI, and its mask as a segmentation for 3D Slicer too.

    :param folder: existing.
    :raises InputError: the folder cannot be written or the disk is full.
    """
    geometry = result.scan.geometry
    write_like(result.scan, result.pseudo_normal, folder / "pseudo_normal.nii.gz")
    write_image(result.difference, geometry, folder / "difference.nii.gz")
    write_image(result.difference_z, geometry, folder / "difference_z.nii.gz")
    write_image(result.confidence, geometry, folder / "confidence.nii.gz")
    write_image(result.lesion.astype(np.uint8), geometry, folder / "lesion_mask.nii.gz")
    write_segmentation(result.lesion, geometry, folder / "lesion.seg.nrrd")
    if result.wide_difference_z is not None:
        write_image(result.wide_difference_z, geometry, folder / "wide_difference_z.nii.gz")


def write_result(
    result: Result,
    out: Path,
    case: str,
    model: Model,
    options: Options,
    volumes: Callable[[Result, Path], None] = write_volumes,
) -> Report:
    """Write ``OUT/<case>/`` with volumes and reports.

    :param out: the output folder; made where it is missing.
    :param volumes: ``volumes(result, folder)`` writes the volumes; the server has a way of its own.
    :returns: the report as written.
    :raises InputError: the folder cannot be written or the disk is full; nothing is left behind then.
    """
    started = time.perf_counter()
    with OutputFolder(out / case) as folder:
        volumes(result, folder)
        files = (*sorted(path.name for path in folder.iterdir()), "report.html", "report.json")
        timings = result.timings | {"write": time.perf_counter() - started}
        report = describe(replace(result, timings=timings), case, model, options, files)
        pictures = Pictures(
            result.scan.array,
            result.pseudo_normal,
            result.difference,
            result.labels,
            result.foreground,
            result.scan.geometry,
        )
        write_report(folder, report, pictures, z_scale=result.z_scale)
    return report


def describe(result: Result, case: str, model: Model, options: Options, files: tuple[str, ...]) -> Report:
    """The report of a result."""
    facts = ModelFacts(name=model.name, version=model.version, sha256=model.fingerprint)
    if options.recipe is not None:
        facts = ModelFacts(name=options.recipe.name, version=__version__)
    return Report(
        software_version=__version__,
        case=case,
        created=datetime.now(timezone.utc).astimezone(),
        input=InputFacts.of(result.scan),
        contrast=options.contrast,
        model=facts,
        mode=options.mode,
        device=str(model.device),
        options={
            "mask": options.mask.name if options.mask else None,
            "texture": options.texture,
            "reach_mm": options.reach_mm,
        },
        seed=options.seed if options.texture else None,
        timings_s={name: round(seconds, 3) for name, seconds in result.timings.items()},
        warnings=result.warnings,
        files=files,
        brain=BrainFacts.of(result.brain),
        findings=tuple(FindingEntry.of(finding) for finding in result.findings),
    )
