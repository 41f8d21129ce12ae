"""A case store whose cases readers have decided on, for tests of what leaves it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from pseudonormal.scan.scan import Geometry
from pseudonormal.scan.writing import write_image
from pseudonormal.store.store import Store

SHAPE = (8, 10, 9)
GEOMETRY = Geometry(SHAPE[::-1], (1.0, 1.5, 2.0), (5.0, -7.0, 11.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))


def voxels(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(1, 500, SHAPE).astype(np.int16)


def lesion(seed: int) -> np.ndarray:
    """Nothing at the edges, so that a shifted grid does not push it out of the scan."""
    return np.pad(np.random.default_rng(seed).random([n - 2 for n in SHAPE]) < 0.3, 1)


def listing(folder: Path) -> dict[str, str]:
    """Every file and its contents."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def fill(store: Store, folder: Path) -> dict[str, str]:
    """Add cases; returns their ids by what happened to them.

    "empty" was accepted without a lesion, "drawing" goes on after it was accepted, and "again" is another
    scan of the person of "accepted".

    :param folder: gets the scans.
    """
    happened = {
        "accepted": ["accepted"],
        "again": ["accepted"],
        "doubted": ["needs_second_reader"],
        "rejected": ["accepted", "rejected"],
        "waiting": [],
        "empty": ["accepted"],
        "drawing": ["accepted", "draft", "consensus"],
    }
    cases = {}
    for seed, (name, states) in enumerate(happened.items()):
        scan = folder / "scans" / f"{name}.nii.gz"
        scan.parent.mkdir(exist_ok=True)
        write_image(voxels(seed), GEOMETRY, scan)
        subject = "accepted" if name == "again" else name
        case = store.add_case(scan, subject=subject, contrast="" if name == "again" else "flair").id
        lease = store.lease(case, "Dr Eva Musterfrau").token
        for number, state in enumerate(states):
            mask = np.zeros(SHAPE, bool) if name == "empty" else lesion(100 * number + seed)
            store.add_revision(
                case, mask, lease=lease, state=state, parent=store.case(case).head, comment="private words"
            )
        store.release(lease)
        cases[name] = case
    return cases
