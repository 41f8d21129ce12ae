"""A study's scans in one file: reading and painting them takes minutes, and every call needs the same ones."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from pseudonormal.cases import Case
from pseudonormal.evaluate.rows import digest, write_atomically
from pseudonormal.study.material import LISTS, StudyMaterial
from pseudonormal.study.painting import StudyScan
from pseudonormal.training.anatomies import Anatomy
from pseudonormal.training.references import Reference

VERSION = "2"  # raise it when scans are painted or sorted in another way
WORDS = ("case", "contrast", "subject")
ARRAYS = ("image", "brain", "lesion", "doubtful", "weight", "parcels")


def material_file(out: Path, cases: Sequence[Case], contrast: str) -> Path:
    """Where the scans of these cases are kept; another file when a case or one of its files changes."""
    said = [json.dumps(_facts(case), default=str, sort_keys=True) for case in cases]
    return out / f"material_{digest(VERSION, contrast, *said)[:12]}.npz"


def write_material(path: Path, material: StudyMaterial) -> None:
    """Keep the scans.

    :raises InputError: the folder cannot be written or the disk is full.
    """
    arrays: dict[str, NDArray] = {}
    words: dict[str, list[dict[str, str]]] = {}
    for name in LISTS:
        words[name] = []
        for number, scan in enumerate(getattr(material, name)):
            words[name].append({word: getattr(scan.reference, word) for word in WORDS})
            parts = {part: getattr(scan.reference, part) for part in ARRAYS} | {"truth": scan.truth}
            known = {part: array for part, array in parts.items() if array is not None}
            arrays |= {f"{name}/{number}/{part}": array for part, array in known.items()}
    for number, anatomy in enumerate(material.anatomies):
        arrays |= {f"anatomies/{number}/groups": anatomy.groups, f"anatomies/{number}/brain": anatomy.brain}
    arrays |= {f"masks/{number}": mask for number, mask in enumerate(material.masks)}
    arrays["words"] = np.array(json.dumps(words))
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]  # numpy's stub takes its own options for names
    write_atomically(path, buffer.getvalue())


def read_material(path: Path) -> StudyMaterial | None:
    """The scans that were kept; None where there are none, or the file is damaged."""
    try:
        with np.load(path, allow_pickle=False) as kept:
            arrays = dict(kept)
        words = json.loads(str(arrays.pop("words")))
    except (OSError, ValueError, KeyError, BadZipFile):
        return None
    parts: dict[str, dict[str, Any]] = {}
    for key, array in arrays.items():
        place, _, part = key.rpartition("/")
        parts.setdefault(place, {})[part] = array
    lists = {
        name: [_scan(parts[f"{name}/{number}"], said) for number, said in enumerate(words[name])] for name in LISTS
    }
    heads = sorted(place for place in parts if place.startswith("anatomies/"))
    masks = parts.get("masks", {})
    return StudyMaterial(
        **lists,
        anatomies=[Anatomy(**parts[place]) for place in heads],
        masks=[masks[number] for number in sorted(masks, key=int)],
    )


def _scan(parts: dict[str, Any], words: dict[str, str]) -> StudyScan:
    known: dict[str, Any] = {"lesion": None, "truth": None} | parts | words
    truth = known.pop("truth")
    return StudyScan(Reference(**known), truth)


def _facts(case: Case) -> dict[str, Any]:
    paths = [case.image, case.mask, case.normal, case.foreground, case.extra.get("labels"), case.extra.get("doubtful")]
    times = [Path(path).stat().st_mtime_ns for path in paths if path]
    return asdict(case) | {"extra": dict(case.extra), "times": times}
