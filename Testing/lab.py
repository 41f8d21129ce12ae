"""A lab's case store for tests of retraining: small heads, some of them reviewed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pseudonormal.scan.scan import Geometry
from pseudonormal.scan.writing import write_image
from pseudonormal.store.store import Store

SHAPE = (64, 66, 62)
GEOMETRY = Geometry(SHAPE[::-1], (1.0, 1.0, 1.0), (-30.0, -20.0, 10.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))


@dataclass(frozen=True)
class Lab:
    """A store and the ids of its cases by what happened to them: "lesion0", ..., "sound", "waiting0", ..."""

    store: Path
    cases: dict[str, str]


def head(seed: int, *, lesion: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """A ball of noisy tissue, int16, with a bright lesion somewhere; and the lesion. (D, H, W), 1 mm."""
    rng = np.random.default_rng(seed)
    z, y, x = np.indices(SHAPE) - np.array([31.5, 32.5, 30.5])[:, None, None, None]
    foreground = (z / 30) ** 2 + (y / 31) ** 2 + (x / 29) ** 2 < 1
    centre = rng.uniform(-9, 9, 3)[:, None, None, None]
    mask = ((np.stack([z, y, x]) - centre) ** 2).sum(0) < rng.uniform(4, 6) ** 2
    array = np.where(foreground, 500 + 3 * z + 40 * np.sin(y / 4 + seed) + rng.normal(0, 20, SHAPE), 0)
    if not lesion:
        return array.astype(np.int16), np.zeros(SHAPE, bool)
    return np.where(mask, array + 600, array).astype(np.int16), mask


def review(store: Store, case: str, mask: np.ndarray, *, state: str = "accepted", weights: np.ndarray | None = None):
    """An annotator decides on a case."""
    lease = store.lease(case, "Ann").token
    found = store.add_revision(case, mask, lease=lease, state=state, parent=store.case(case).head, weights=weights)
    store.release(lease)
    return found


def make_lab(folder: Path, *, lesions: int = 4, sound: int = 1, waiting: int = 2, contrast: str = "flair") -> Lab:
    """A store in which some cases were accepted with a lesion, some without any, and others wait.

    In the first one a corner of the lesion is not to be trusted; the first that waits has a seed mask.
    """
    store, cases = Store.open(folder / "store"), {}
    names = [f"lesion{n}" for n in range(lesions)] + [f"sound{n}" for n in range(sound)]
    for seed, name in enumerate([*names, *(f"waiting{n}" for n in range(waiting))]):
        array, mask = head(seed, lesion=not name.startswith("sound"))
        write_image(array, GEOMETRY, folder / "scan.nii.gz")
        write_image(mask, GEOMETRY, folder / "mask.nii.gz")
        seeded = folder / "mask.nii.gz" if name == "waiting0" else None
        cases[name] = store.add_case(folder / "scan.nii.gz", mask=seeded, subject=name, contrast=contrast).id
        if not name.startswith("waiting"):
            weights = np.where(np.indices(SHAPE)[0] > 34, 0, 1).astype(np.float32) if name == "lesion0" else None
            review(store, cases[name], mask, weights=weights)
    store.close()
    return Lab(folder / "store", cases)
