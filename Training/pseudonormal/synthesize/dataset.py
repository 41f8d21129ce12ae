"""Make annotated scans and write them as a list of cases that trainings take, each marked as synthetic."""

from __future__ import annotations

import csv
import io
import json
import multiprocessing
import pickle
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from pseudonormal import __version__
from pseudonormal.cases import COLUMNS, SYNTHETIC, TRAIN
from pseudonormal.errors import InputError
from pseudonormal.recipes.synthesizer import Synthesizer, Synthetic
from pseudonormal.scan.atomic import OutputFolder, atomic_file
from pseudonormal.scan.synthetic import MARK
from pseudonormal.scan.writing import write_image
from pseudonormal.training.strands import work_for_parent

LIST, PLAN, SHEET = "cases.csv", "plan.json", "contact_sheet.png"
FURTHER = (SYNTHETIC, "contrast", "source", "recipe")
WHITE_STORED = 1000  # what scaled intensity 1 is stored as, in int16


@dataclass(frozen=True)
class Plan:
    """What is made.

    :param fingerprint: of what makes it, see :class:`pseudonormal.synthesize.opening.Opened`.
    :param seed: the same seed gives the same files.
    """

    recipe: str
    fingerprint: str
    seed: int

    def name(self, number: int) -> str:
        """Of a case, and of its folder."""
        return f"synthetic_{self.recipe}_{self.seed}_{number:05d}"


def begin(out: Path, plan: Plan) -> None:
    """Write down what the folder is for.

    :raises InputError: it holds what another model, seed or list made, or cannot be written.
    """
    content = {"recipe": plan.recipe, "fingerprint": plan.fingerprint, "seed": plan.seed}
    path = out / PLAN
    try:
        there = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        out.mkdir(parents=True, exist_ok=True)
        with atomic_file(path) as stream:
            stream.write((json.dumps(content, indent=2) + "\n").encode())
        return
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: is damaged: give another output folder with -o") from error
    if there != content:
        raise InputError(
            f"{out}: holds scans that were made by another model, from other cases or with another seed: give another "
            "output folder with -o"
        )


def missing(out: Path, plan: Plan, count: int) -> list[int]:
    """The numbers, from 1, of which there is no case yet."""
    return [number for number in range(1, count + 1) if not (out / plan.name(number) / "record.json").is_file()]


def make_all(
    synthesizer: Synthesizer, out: Path, plan: Plan, numbers: Sequence[int], workers: int
) -> Iterator[dict[str, Any]]:
    """Make and write cases, several at a time; yields the record of each as it is done.

    Each is in a folder of its own, which is there whole or not at all, and drawn from seed and number alone: an
    interruption leaves neither half a case nor another one.

    :param workers: processes; with 1 it is done in this one.
    :raises InputError: the folder cannot be written.
    """
    if workers == 1 or len(numbers) < 2:
        for number in numbers:
            yield _make(synthesizer, out, plan, number)
        return
    # forked processes would inherit torch's threads in whatever state they are
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as scratch:
        # by a file: what a process gets as arguments keeps all others waiting until it has imported what it needs
        handed = Path(scratch) / "synthesizer"
        handed.write_bytes(pickle.dumps(synthesizer, pickle.HIGHEST_PROTOCOL))
        reader, writer = context.Pipe(duplex=False)
        with (
            reader,
            ProcessPoolExecutor(workers, context, _begin_worker, (handed, reader)) as pool,
            _given_up_on_error(pool, writer, out),
        ):
            for done in as_completed([pool.submit(_make_there, out, plan, number) for number in numbers]):
                yield done.result()


def write_list(out: Path, plan: Plan, count: int) -> list[dict[str, Any]]:
    """Write ``cases.csv`` of the cases that are there, in order.

    :returns: their records.
    :raises InputError: it cannot be written.
    """
    records = []
    for number in range(1, count + 1):
        try:
            text = (out / plan.name(number) / "record.json").read_text(encoding="utf-8")
        except FileNotFoundError:
            continue
        records.append(json.loads(text))
    text_of_list = io.StringIO()
    writer = csv.DictWriter(text_of_list, [*COLUMNS, *FURTHER], lineterminator="\n")
    writer.writeheader()
    writer.writerows(_row(record) for record in records)
    with atomic_file(out / LIST) as stream:
        stream.write(text_of_list.getvalue().encode())
    return records


def _row(record: dict[str, Any]) -> dict[str, str]:
    files = {column: f"{record['case']}/{column}.nii.gz" for column in record["files"]}
    if not record["lesion_ml"]:  # a scan without lesions is its own normal; no reader takes empty masks
        files = files | {"mask": "", "normal": files["image"]}
    known = {"case": record["case"], "subject": record["subject"], "split": TRAIN, SYNTHETIC: "1"}
    further = {"contrast": record["contrast"], "source": record["drawn"].get("source", ""), "recipe": record["recipe"]}
    return {**known, **files, **further}


def _make(synthesizer: Synthesizer, out: Path, plan: Plan, number: int) -> dict[str, Any]:
    made = synthesizer.make(np.random.default_rng([plan.seed, number]))
    name = plan.name(number)
    files = ["image", "mask", "foreground", *(["normal"] if made.normal is not None else [])]
    record = {
        "case": name,
        "synthetic": True,
        "recipe": plan.recipe,
        "model": plan.fingerprint,
        "seed": plan.seed,
        "number": number,
        "subject": made.subject,
        "contrast": made.contrast,
        "lesion_ml": round(float(made.mask.sum()) * made.geometry.voxel_ml, 6),
        "software_version": __version__,
        "files": files,
        "drawn": dict(made.record),
    }
    with OutputFolder(out / name) as folder:
        _write(made, folder)
        (folder / "record.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return record


def _write(made: Synthetic, folder: Path) -> None:
    for name, scaled in (("image", made.image), ("normal", made.normal)):
        if scaled is not None:
            stored = np.clip(np.rint(scaled * WHITE_STORED), -32768, 32767).astype(np.int16)
            write_image(stored, made.geometry, folder / f"{name}.nii.gz", MARK)
    write_image(made.mask, made.geometry, folder / "mask.nii.gz", MARK)
    write_image(made.foreground, made.geometry, folder / "foreground.nii.gz", MARK)


_there: list[Synthesizer] = []  # of a process that makes scans


def _begin_worker(handed: Path, wanted: Connection) -> None:
    work_for_parent([wanted])  # to finish what it is at would take seconds that somebody waits for
    _there.append(pickle.loads(handed.read_bytes()))  # noqa: S301 (written by the process that started this one)


def _make_there(out: Path, plan: Plan, number: int) -> dict[str, Any]:
    return _make(_there[0], out, plan, number)


@contextmanager
def _given_up_on_error(pool: ProcessPoolExecutor, wanted: Connection, out: Path) -> Iterator[None]:
    """End the processes in the midst of whatever they make, and remove it.

    :param wanted: the processes end when it is closed.
    :param out: where they write, and nobody else.
    """
    try:
        yield
    except BaseException:
        wanted.close()
        pool.shutdown(wait=True, cancel_futures=True)
        for part in out.glob(".*.part"):
            shutil.rmtree(part, ignore_errors=True)
        raise
