"""``pseudonormal models calibrate``: choose a model's thresholds on validation subjects."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer

from pseudonormal.cli.choices import AsJson, Cases, Device
from pseudonormal.cli.cores import use_all_cores
from pseudonormal.cli.progress import Talk
from pseudonormal.errors import InputError


def calibrate(
    model: Annotated[str, typer.Argument(help="A model's name, or the folder of a bundle.")],
    cases: Cases,
    output: Annotated[Path, typer.Option("--output", "-o", help="The JSON to write, for models pack --calibration.")],
    seeds: Annotated[int, typer.Option(metavar="N", min=1, help="Simulated lesions of each size in each case.")] = 2,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Choose how a restorer's answers are fused, the temperature and the lesion threshold, on cases of "validation".

    The fusion is chosen on simulated lesions of all families, for patients' lesions look like none that was trained on;
    the temperature, by likelihood, and then the lesion threshold on the masks of FLAIR cases (column contrast) and on
    normal scans. Without such a mask the temperature stays.
    """
    from pseudonormal.cases import VALIDATION, read_cases
    from pseudonormal.evaluate.calibration import (
        choose_fusion,
        choose_temperature,
        choose_threshold,
        fusion_rows,
    )
    from pseudonormal.evaluate.rows import write_atomically
    from pseudonormal.evaluate.subject import load_subject
    from pseudonormal.lesions.appearance import FAMILIES
    from pseudonormal.lesions.source import LesionSource
    from pseudonormal.models.bundle import load_model
    from pseudonormal.models.device import choose_device
    from pseudonormal.recipes.foreground import find_brain
    from pseudonormal.simulate.shapes import shape_sources

    listed = read_cases(cases)
    chosen = [case for case in listed if case.split == VALIDATION and case.kind in ("labelled", "normal")]
    if not chosen:
        raise InputError(f"{cases}: no labelled or normal case of split 'validation'; list at least one")
    use_all_cores()
    with Talk(as_json) as talk:
        loaded = load_model(model, choose_device(device))
        subjects = [load_subject(case, lambda image: find_brain(image, loaded)) for case in chosen]
        source = LesionSource(shape_sources(listed, None))
        done: list[str] = []

        def note(case: str) -> None:
            done.append(case)
            talk.progress(len(done), len(subjects), case)

        rows = fusion_rows(loaded, subjects, source, tuple(FAMILIES), range(seeds), note)
        calibration = choose_fusion(rows, loaded.calibration)
        flair = [s for s in subjects if s.lesion.any() and s.case.extra.get("contrast", "flair") == "flair"]
        normal = [s for s in subjects if not s.lesion.any()]
        errors: dict[str, float] = {}
        if flair:
            tempering = choose_temperature(loaded, flair, normal)
            calibration = replace(calibration, temperature=tempering.temperature)
            errors = {"before": tempering.before.error, "after": tempering.after.error}
        calibration = choose_threshold(loaded, flair, normal, calibration)
        write_atomically(output, json.dumps(asdict(calibration), indent=2) + "\n")
        talk.record("result", calibration=asdict(calibration), lesions=len(rows), calibration_error=errors)
        talk.lines(*[f"{name}: {value:g}" for name, value in asdict(calibration).items()])
        talk.lines(*[f"calibration error {when} tempering: {error:.4f}" for when, error in errors.items()])
        talk.lines(f"written: {output}")
