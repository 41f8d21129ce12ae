"""Simulate lesions into every case of a list and write them as a list of cases with known truth."""

from __future__ import annotations

import csv
import io
import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pseudonormal import __version__
from pseudonormal.cases import COLUMNS, Case
from pseudonormal.errors import InputError
from pseudonormal.lesions.source import LesionSource
from pseudonormal.scan.atomic import OutputFolder, atomic_file
from pseudonormal.scan.conform import Conformed, conform, mask_to_model, to_native
from pseudonormal.scan.reading import read_mask, read_scan
from pseudonormal.scan.scan import Scan
from pseudonormal.scan.writing import write_image, write_like
from pseudonormal.simulate.native import Simulated, simulate_lesion

LIST = "cases.csv"
FURTHER = ("family", "volume_ml")

FindBrain = Callable[[NDArray[np.float32]], NDArray[np.bool_]]


@dataclass(frozen=True)
class Plan:
    """What is simulated in each case.

    :param source: draws the lesions.
    :param count: lesions in each case, each in a copy of its own.
    :param seed: the same seed gives the same files.
    :param volume_ml: range of volumes.
    """

    source: LesionSource
    count: int = 1
    seed: int = 0
    volume_ml: tuple[float, float] = (0.5, 40.0)


@dataclass(frozen=True)
class Entry:
    """One simulated scan: its row in the list (None: no place was found for the lesion)."""

    name: str
    row: dict[str, str] | None


def usable(cases: Sequence[Case]) -> list[Case]:
    """Cases whose normal tissue is known: those that are normal and those whose lesions are marked.

    :raises InputError: there is none.
    """
    chosen = [case for case in cases if case.kind in ("normal", "labelled")]
    if not chosen:
        raise InputError("no case to simulate in: list at least one that is labelled (mask) or normal (normal = image)")
    return chosen


def simulate_cases(cases: Sequence[Case], out: Path, plan: Plan, find_brain: FindBrain) -> Iterator[Entry]:
    """Write ``OUT/<case>_<n>/`` for each case and lesion, and ``OUT/cases.csv``.

    Each folder holds ``image.nii.gz`` (with the lesion), ``mask.nii.gz``, ``normal.nii.gz`` (the truth, the scan as it
    was), ``foreground.nii.gz`` and ``record.json``. The list is complete after every entry.

    :param cases: those of :func:`usable`.
    :param find_brain: finds the brain, (D, H, W) image on the model grid -> mask, where a case names none.
    :raises InputError: a file is at fault, or OUT cannot be written.
    """
    rows: list[dict[str, str]] = []
    for case in cases:
        subject = _read(case, find_brain)
        for number in range(1, plan.count + 1):
            rng = np.random.default_rng([plan.seed, number, zlib.crc32(case.case.encode())])
            simulated = simulate_lesion(
                subject.scan,
                subject.conformed,
                subject.foreground,
                subject.lesion,
                plan.source,
                rng,
                volume_ml=plan.volume_ml,
            )
            name = f"{case.case}_{number}"
            if simulated is None:
                yield Entry(name, None)
                continue
            _write(out / name, subject, simulated, plan.seed, number)
            rows.append(_row(name, case, simulated))
            _write_list(out / LIST, rows)
            yield Entry(name, rows[-1])


@dataclass(frozen=True)
class _Subject:
    """A case's scan, and brain and real lesions on the model grid (D, H, W)."""

    case: Case
    scan: Scan
    conformed: Conformed
    foreground: NDArray[np.bool_]
    lesion: NDArray[np.bool_]


def _read(case: Case, find_brain: FindBrain) -> _Subject:
    assert case.image is not None
    scan = read_scan(case.image)
    conformed = conform(scan)

    def on_model_grid(path: Path) -> NDArray[np.bool_]:
        return mask_to_model(read_mask(path, scan)[0], conformed)

    marked = case.kind == "labelled" and case.mask is not None
    lesion = on_model_grid(case.mask) if marked and case.mask else np.zeros(conformed.image.shape, bool)
    if case.foreground is not None:
        foreground = on_model_grid(case.foreground)
    else:
        try:
            foreground = find_brain(conformed.image)
        except InputError as error:
            raise InputError(f"{case.image}: {error}") from error
    return _Subject(case, scan, conformed, foreground | lesion, lesion)


def _write(folder: Path, subject: _Subject, simulated: Simulated, seed: int, number: int) -> None:
    scan = subject.scan
    brain = to_native(subject.foreground.astype(np.float32), subject.conformed) >= 0.5
    record = {
        "case": subject.case.case,
        "number": number,
        "seed": seed,
        "software_version": __version__,
        **simulated.record,
    }
    with OutputFolder(folder) as part:
        write_like(scan, simulated.array, part / "image.nii.gz")
        write_like(scan, scan.array, part / "normal.nii.gz")
        write_image(simulated.mask, scan.geometry, part / "mask.nii.gz")
        write_image(brain, scan.geometry, part / "foreground.nii.gz")
        (part / "record.json").write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _row(name: str, case: Case, simulated: Simulated) -> dict[str, str]:
    files = {column: f"{name}/{column}.nii.gz" for column in ("image", "mask", "normal", "foreground")}
    drawn = {"family": str(simulated.record["family"]), "volume_ml": str(simulated.record["volume_ml"])}
    return {"case": name, "subject": case.subject, "split": case.split, **files, **drawn}


def _write_list(path: Path, rows: Sequence[dict[str, str]]) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, [*COLUMNS, *FURTHER], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    with atomic_file(path) as stream:
        stream.write(text.getvalue().encode())
