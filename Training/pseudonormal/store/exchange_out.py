"""Reviewed masks as lists to train on: MONAI's datalist and the project's own CSV of cases."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pseudonormal.cases import COLUMNS, TRAIN, VALIDATION
from pseudonormal.scan.atomic import OutputFolder, atomic_file
from pseudonormal.scan.nifti import read_nifti
from pseudonormal.store.reviewed import Reviewed, copy_blob, reviewed_cases, write_json
from pseudonormal.store.store import Store

ACCEPTED = ("accepted",)


def export_datalist(store: Store, out: Path, *, states: Sequence[str] = ACCEPTED) -> Path:
    """Write a MONAI datalist: ``OUT/datalist.json``, ``OUT/images/``, ``OUT/labels/`` and, if any, ``OUT/weights/``.

    The lists ``training`` and ``validation`` have an entry for each case: ``image`` and ``label`` (paths relative to
    the list), ``case``, ``subject``, ``revision``, ``state`` and, where a reviewer marked what not to trust,
    ``weight`` (0 to 1 for each voxel). All scans of a subject stand in one list.

    :param states: of the revisions to export.
    :returns: path of ``datalist.json``.
    :raises InputError: no case is in these states, or the folder cannot be written; nothing is left behind then.
    """
    with OutputFolder(out) as folder:
        entries = [(reviewed.split, _entry(store, reviewed, folder)) for reviewed in reviewed_cases(store, states)]
        lists = {
            key: [entry for split, entry in entries if split == wanted]
            for key, wanted in (("training", TRAIN), ("validation", VALIDATION))
        }
        head = {"name": "PseudoNormal", "modality": {"0": "MR"}, "labels": {"0": "background", "1": "lesion"}}
        write_json(folder / "datalist.json", {**head, "tensorImageSize": "3D", **lists})
    return out / "datalist.json"


def export_cases(store: Store, out: Path, *, states: Sequence[str] = ACCEPTED) -> Path:
    """Write the CSV that ``train`` and ``evaluate`` read: ``OUT/cases.csv`` beside the files it names.

    A case whose reviewed mask is empty is a normal scan: its column ``normal`` names the image itself.

    :param states: of the revisions to export.
    :returns: path of ``cases.csv``.
    :raises InputError: no case is in these states, or the folder cannot be written; nothing is left behind then.
    """
    with OutputFolder(out) as folder:
        rows = [_row(_entry(store, reviewed, folder), reviewed, folder) for reviewed in reviewed_cases(store, states)]
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, [*COLUMNS, "contrast", "revision", "weight"], restval="")
        writer.writeheader()
        writer.writerows(rows)
        with atomic_file(folder / "cases.csv") as stream:
            stream.write(text.getvalue().encode())
    return out / "cases.csv"


def _entry(store: Store, reviewed: Reviewed, folder: Path) -> dict[str, str]:
    """Copy a case's files out and name them."""
    case, revision = reviewed.case, reviewed.revision
    name = f"{case.id}.nii.gz"
    blobs = {"image": store.volume_path(case.id, "image"), "label": store.mask_path(revision.id)}
    weights = store.weights_path(revision.id)
    if weights is not None:
        blobs["weight"] = weights
    paths = {key: copy_blob(blob, folder / f"{key}s" / name) for key, blob in blobs.items()}
    named = {key: path.relative_to(folder).as_posix() for key, path in paths.items()}
    return {**named, "case": case.id, "subject": reviewed.subject, "revision": revision.id, "state": revision.state}


def _row(entry: dict[str, str], reviewed: Reviewed, folder: Path) -> dict[str, str]:
    diseased = bool(np.any(read_nifti(folder / entry["label"], None).array))
    return {
        "case": entry["case"],
        "subject": entry["subject"],
        "split": reviewed.split,
        "image": entry["image"],
        "mask": entry["label"] if diseased else "",
        "normal": "" if diseased else entry["image"],
        "contrast": reviewed.case.contrast,
        "revision": entry["revision"],
        "weight": entry.get("weight", ""),
    }
