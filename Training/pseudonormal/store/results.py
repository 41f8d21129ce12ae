"""What ``pseudonormal generate`` wrote, on its way into the store."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pseudonormal.errors import InputError
from pseudonormal.store.volumes import read_derived, read_image, read_mask_on

PSEUDO_NORMAL = "pseudo_normal"
FOREGROUND = "foreground"  # of a synthetic case, which is made with it
ALWAYS = (PSEUDO_NORMAL, "difference", "difference_z")
DERIVED = (*ALWAYS, "wide_difference_z")
"""Volumes that a case takes over from results; the wide difference where it was asked for."""
REPORT = "report.json"
# Some formats round what they hold. The results of another scan are further away than that by far.
_ROUNDED = 1e-5


@dataclass(frozen=True)
class Results:
    """A case's folder as ``pseudonormal generate`` writes it.

    :param report: the content of ``report.json``.
    :param scan: file name of the scan that it says it was made from.
    :param model: name of the model that proposed the mask.
    """

    folder: Path
    report: Mapping[str, Any]
    scan: str
    model: str

    @property
    def mask(self) -> Path:
        """The lesion mask."""
        return self.folder / "lesion_mask.nii.gz"

    @property
    def contrast(self) -> str:
        """The scan's, as the report says it; empty when it does not."""
        return str(self.report.get("contrast") or "")

    @property
    def volumes(self) -> dict[str, Path]:
        """The volumes to take over, by name."""
        paths = {name: self.folder / f"{name}.nii.gz" for name in DERIVED}
        return {name: path for name, path in paths.items() if name in ALWAYS or path.is_file()}


def results_of(image: Path, folder: Path, volume: int | None = None) -> Results:
    """The results of a scan.

    :param folder: the case's own, or the output folder in which it lies; there the reports tell which is the scan's.
    :param volume: which volume of a 4D scan they were made from.
    :raises InputError: there are none, several, damaged ones, or they were made from another scan.
    """
    if (folder / REPORT).is_file():
        results = _read(folder)
    else:
        found = [_read(path.parent) for path in sorted(folder.glob(f"*/{REPORT}"))]
        fitting = [results for results in found if results.scan == image.name]
        if not fitting:
            raise InputError(
                f"{folder}: holds no results of {image.name}; give the folder that pseudonormal generate wrote"
            )
        if len(fitting) > 1:
            raise InputError(
                f"{folder}: holds results of {len(fitting)} scans called {image.name}; add one scan a call and give "
                f"the folder of its case"
            )
        results = fitting[0]
    _check_made_from(image, volume, results)
    return results


def made_from(image: NDArray, pseudo_normal: NDArray, mask: NDArray[np.bool_]) -> bool:
    """Whether a pseudo-normal is its scan outside the mask, all (D, H, W).

    Many scans share a grid: it alone would not tell patients apart.
    """
    restored, expected = pseudo_normal[~mask], image[~mask]
    return np.allclose(restored, expected, rtol=_ROUNDED, atol=_ROUNDED * float(np.ptp(expected)))


def _read(folder: Path) -> Results:
    path = folder / REPORT
    try:
        report = json.loads(path.read_bytes())
        return Results(folder, report, scan=str(report["input"]["name"]), model=str(report["model"]["name"]))
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise InputError(f"{path}: cannot be read as a report; generate the results again") from error


def _check_made_from(image: Path, volume: int | None, results: Results) -> None:
    scan = read_image(image, volume)
    mask = read_mask_on(results.mask, scan.geometry, image.name)
    if not made_from(scan.array, read_derived(results.volumes[PSEUDO_NORMAL], scan.geometry).array, mask):
        raise InputError(f"{results.folder}: was made from another scan than {image}; give the results of this scan")
