"""Seed masks as files, and as a list of cases that recipe ``smile`` learns from."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pseudonormal.cases import COLUMNS, Case
from pseudonormal.recipes.shape.labelling import LEAST_WEIGHT, Label
from pseudonormal.recipes.shape.material import Framed
from pseudonormal.recipes.shape.options import ShapeOptions
from pseudonormal.recipes.shape.reading import Opened
from pseudonormal.scan.writing import OutputFolder, atomic_file, write_image
from pseudonormal.store.adding import doubted_ml

MASK, WEIGHT, FACTS = "mask.nii.gz", "weight.nii.gz", "seed.json"
LIST = "cases.csv"


@dataclass(frozen=True)
class Seed:
    """A seed mask that was written.

    :param reliability: in [0, 1]: the mean trust in what is marked.
    :param doubted_ml: how much of it can be expected to be wrong.
    """

    case: str
    volume_ml: float
    reliability: float
    doubted_ml: float


def write_seed(out: Path, scan: Opened, shown: Framed, label: Label, options: ShapeOptions) -> Seed:
    """Write ``OUT/<case>/``: the mask on the scan's own voxels, uint8, and the weight of each voxel, float32.

    :param shown: the scan in the frame that it was labelled in.
    :raises InputError: the folder cannot be written or the disk is full.
    """
    frame = shown.frame
    assert frame is not None
    shape = scan.image.shape
    mask = scan.on_own_grid(frame.back(label.mask.astype(np.float32), shape)) >= 0.5
    # beyond the frame nobody has looked: what is marked nowhere is background as surely as its border is
    doubt = scan.on_own_grid(frame.back(1 - label.weight, shape))
    weight = np.clip(1 - doubt, LEAST_WEIGHT, 1).astype(np.float32)
    geometry = scan.conformed.native
    reliability = _reliability(label, options)
    seed = Seed(
        scan.case.case,
        float(mask.sum()) * geometry.voxel_ml,
        reliability,
        doubted_ml(weight, geometry),
    )
    with OutputFolder(out / scan.case.case) as folder:
        write_image(mask, geometry, folder / MASK)
        write_image(weight, geometry, folder / WEIGHT)
        with atomic_file(folder / FACTS) as stream:
            stream.write((json.dumps(asdict(seed), indent=1) + "\n").encode())
    return seed


def write_list(out: Path, cases: Sequence[Case], seeded: Sequence[str]) -> Path:
    """Write ``OUT/cases.csv``: the cases as they were given, those that got a seed mask with mask and weight.

    :raises InputError: the folder cannot be written or the disk is full.
    """
    extra = sorted({key for case in cases for key in case.extra} | {"weight"})
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, [*COLUMNS, *extra], restval="")
    writer.writeheader()
    for case in cases:
        row = {"case": case.case, "subject": case.subject, "split": case.split, **case.extra}
        row |= {name: str(path) for name in COLUMNS[3:] if (path := getattr(case, name)) is not None}
        if case.case in seeded:
            row |= {"mask": f"{case.case}/{MASK}", "weight": f"{case.case}/{WEIGHT}"}
        writer.writerow(row)
    with atomic_file(out / LIST) as stream:
        stream.write(text.getvalue().encode())
    return out / LIST


def _reliability(label: Label, options: ShapeOptions) -> float:
    """Mean trust, slices weighted by what is marked in them; that of the whole where nothing is."""
    if options.dimensions == 3:
        return float(label.trust[0])
    areas: NDArray = label.mask.sum(axis=(1, 2))
    return float((label.trust * areas).sum() / areas.sum()) if areas.any() else float(label.trust.mean())
