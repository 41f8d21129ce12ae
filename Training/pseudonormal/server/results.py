"""Write a job's volumes so that a client has them soon: NRRD without compression."""

from __future__ import annotations

from pathlib import Path

from numpy.typing import NDArray

from pseudonormal.generate.pipeline import Result
from pseudonormal.scan.writing import write_nrrd

VOLUMES = (
    "pseudo_normal",
    "difference",
    "difference_z",
    "confidence",
    "lesion_mask",
    "foreground",
    "wide_difference_z",
)
FILES = {name: f"{name}.nrrd" for name in VOLUMES} | {"report_json": "report.json", "report_html": "report.html"}
"""File names by what they hold; the wide difference is there when it was asked for."""


def write_volumes(result: Result, folder: Path) -> None:
    """Write what was made of a scan, on its own grid.

    :param folder: existing.
    :raises OSError: the disk is full.
    """
    arrays: tuple[NDArray | None, ...] = (
        result.pseudo_normal,
        result.difference,
        result.difference_z,
        result.confidence,
        result.lesion,
        result.foreground,
        result.wide_difference_z,
    )
    for name, array in zip(VOLUMES, arrays, strict=True):
        if array is None:
            continue
        with (folder / FILES[name]).open("xb") as stream:
            write_nrrd(array, result.scan.geometry, stream)
