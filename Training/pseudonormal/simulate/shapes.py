"""Lesion shapes from mask files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pseudonormal.cases import Case
from pseudonormal.errors import InputError
from pseudonormal.lesions.shapes import ShapeSource, SmoothBlob, Transplant
from pseudonormal.scan.conform import conform, mask_to_model
from pseudonormal.scan.reading import read_scan

_MASKS = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd")


def shape_sources(cases: Sequence[Case], folder: Path | None = None) -> list[ShapeSource]:
    """Smooth random blobs, and real shapes where masks without a scan are known.

    :param cases: rows of kind "shape" are used.
    :param folder: a folder of further mask files.
    :raises InputError: a mask cannot be used, or the folder holds none.
    """
    paths = [case.mask for case in cases if case.kind == "shape" and case.mask is not None]
    if folder is not None:
        if not folder.is_dir():
            raise InputError(f"{folder}: there is no such folder; give a folder with lesion masks")
        found = sorted(path for path in folder.iterdir() if path.name.lower().endswith(_MASKS))
        if not found:
            raise InputError(f"{folder}: holds no lesion mask; give a folder with NIfTI, NRRD or MHA files")
        paths += found
    sources: list[ShapeSource] = [SmoothBlob()]
    real = Transplant([_mask(path) for path in paths])
    return [*sources, real] if len(real) else sources


def _mask(path: Path) -> NDArray[np.bool_]:
    scan = read_scan(path)
    return mask_to_model(scan.array > 0, conform(scan))
