"""Add a case: read everything, write the files, then name them in one transaction."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pseudonormal.errors import InputError
from pseudonormal.regions import connected
from pseudonormal.scan.nifti import read_nifti
from pseudonormal.scan.scan import Geometry, Scan
from pseudonormal.scan.synthetic import is_marked
from pseudonormal.store import cases, revisions
from pseudonormal.store.blobs import Blobs
from pseudonormal.store.database import Database
from pseudonormal.store.identity import Secret, checked_model, checked_name, checked_subject, nameless_report, new_id
from pseudonormal.store.records import CaseRecord
from pseudonormal.store.urgency import urgency
from pseudonormal.store.volumes import on_grid_of, read_derived, read_image, read_mask_on, write_volume

IMPORTED = "imported"  # the author of a seed mask that no model proposed
_VOLUME = re.compile(r"[a-z][a-z0-9_]{0,39}")


@dataclass(frozen=True)
class Given:
    """What the caller knows about a new case; see ``Store.add_case``."""

    image: Path
    volume: int | None = None
    mask: Path | None = None
    weights: Path | None = None
    volumes: Mapping[str, Path] = field(default_factory=dict)
    model: str | None = None
    report: Mapping[str, Any] | None = None
    priority: float | None = None
    subject: str | None = None
    contrast: str = ""
    synthetic: bool = False


def add_case(
    given: Given, database: Database, blobs: Blobs, secret: Secret, clock: Callable[[], datetime]
) -> CaseRecord:
    """Add a case under a new pseudonym.

    :raises InputError: something cannot be read or is on another grid, or the store cannot be written.
    """
    model = checked_model(given.model)
    contrast = checked_name(given.contrast, "contrast") if given.contrast.strip() else ""
    report = None if given.report is None else nameless_report(given.report)
    subject = checked_subject(given.subject)
    # All is read before anything is written: what is refused leaves nothing.
    scan = read_image(given.image, given.volume)
    seed = None if given.mask is None else read_mask_on(given.mask, scan.geometry, given.image.name)
    trust = None if given.weights is None else _trust(given.weights, scan.geometry, seed)
    derived = {checked_volume(name): read_derived(path, scan.geometry) for name, path in given.volumes.items()}
    synthetic = given.synthetic or is_marked(scan)
    priority = given.priority
    if priority is None and not synthetic:  # it is never anybody's turn to review what nobody scanned
        doubted = None if trust is None else doubted_ml(trust, scan.geometry)
        priority = urgency(report, None if seed is None else _ml(seed, scan.geometry), doubted)
    priority = checked_priority(priority)
    hashes = {cases.IMAGE: keep(blobs, scan)}
    stored = blobs.path(hashes[cases.IMAGE])
    # As the stored file has it: rounded, where the scan came in a format with longer numbers than NIfTI's.
    grid = read_nifti(stored, None).geometry
    for name, volume in derived.items():
        hashes[name] = keep(blobs, on_grid_of(stored, grid, volume.array, volume.storage))
    case = cases.NewCase(
        id=new_id("case", 8),
        created=clock(),
        priority=priority,
        contrast=contrast,
        subject=None if subject is None else secret.pseudonym(subject),
        model=model,
        synthetic=synthetic,
        geometry=grid,
        report=report,
        volumes=hashes,
    )
    facts = None
    if seed is not None:
        facts = measured(seed, grid) | {
            "mask_sha256": keep(blobs, on_grid_of(stored, grid, seed)),
            "weights_sha256": None if trust is None else keep(blobs, on_grid_of(stored, grid, trust)),
        }
    with database.writing() as connection:
        cases.add(connection, case)
        if facts is not None:
            about = {
                "state": "seed",
                "author": model or IMPORTED,
                "model": model,
                "comment": "",
            }
            revisions.add(connection, revisions.following(None, case.id, case.created, **about, **facts))
        return cases.get(connection, case.id, clock())


def find_case(image: Path, volume: int | None, database: Database, blobs: Blobs) -> str | None:
    """Id of the case that was made from the very same voxels on the very same grid.

    :raises InputError: the scan cannot be read.
    """
    scan = read_image(image, volume)
    sha256 = blobs.hash(lambda path: write_volume(scan, path))
    with database.reading() as connection:
        return cases.with_image(connection, sha256)


def keep(blobs: Blobs, volume: Scan) -> str:
    """Take a volume into the store; returns its SHA-256.

    :raises InputError: the store cannot be written.
    """
    return blobs.add(lambda path: write_volume(volume, path))


def measured(mask: NDArray[np.bool_], grid: Geometry) -> dict[str, Any]:
    """Findings and volume of a (D, H, W) mask, as a revision says them."""
    return {"findings": connected(mask)[1], "volume_ml": _ml(mask, grid)}


def doubted_ml(trust: NDArray[np.floating], grid: Geometry) -> float:
    """What can be expected to be wrong of a seed mask, in ml: ``sum(1 - w) / 2`` over all voxels.

    Where the weight is 0 the mask is as likely right as wrong.
    """
    return float((1 - np.clip(trust, 0, 1)).sum(dtype=np.float64)) / 2 * grid.voxel_ml


def _trust(path: Path, grid: Geometry, seed: NDArray[np.bool_] | None) -> NDArray[np.float32]:
    """How far each voxel of a seed mask is to be trusted.

    :raises InputError: there is no mask, the file cannot be read or holds other numbers than weights.
    """
    if seed is None:
        raise InputError(f"{path}: weights belong to a mask; give that too")
    trust = read_derived(path, grid).array.astype(np.float32)
    if not np.all(np.isfinite(trust)) or trust.min() < 0 or trust.max() > 1:
        raise InputError(f"{path}: weights must lie between 0 (do not trust) and 1")
    return trust


def _ml(mask: NDArray[np.bool_], grid: Geometry) -> float:
    return float(np.count_nonzero(mask)) * grid.voxel_ml


def checked_volume(name: str) -> str:
    """A name that a volume beside the image may have.

    :raises InputError: it may not.
    """
    if name == cases.IMAGE or not _VOLUME.fullmatch(name):
        raise InputError(f"volume {name!r}: is not a name for a volume; use small letters, as in pseudo_normal")
    return name


def checked_priority(priority: float | None) -> float | None:
    """A priority that can be compared.

    :raises InputError: it is not a number.
    """
    if priority is not None and not math.isfinite(priority):
        raise InputError(f"priority {priority}: give a finite number, or none")
    return priority
