"""A case on the model grid, ready to be measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pseudonormal.cases import Case
from pseudonormal.errors import InputError
from pseudonormal.intensity import IntensityScale, scale_from
from pseudonormal.scan.conform import Conformed, conform, mask_to_model
from pseudonormal.scan.placing import same_grid
from pseudonormal.scan.reading import read_mask, read_scan
from pseudonormal.scan.scan import Geometry, Scan

ForegroundOf = Callable[[NDArray[np.float32]], NDArray[np.bool_]]
"""Finds the brain: image in its own units (D, H, W) on the model grid -> foreground mask."""


@dataclass(frozen=True)
class Subject:
    """A case's arrays on the model grid (RAS axes, 1 mm), all (D, H, W).

    :param case: the case they come from.
    :param raw: intensities in the scan's own units.
    :param geometry: the model grid's place in the patient (LPS mm).
    :param foreground: the brain, lesions included.
    :param lesion: the known lesions; empty when none are known.
    :param change: where two visits differ (extra column ``change_mask``); None when not given.
    :param truth: what the scan would show without its lesion, in the same units; None when not known.
    """

    case: Case
    raw: NDArray[np.float32]
    geometry: Geometry
    foreground: NDArray[np.bool_]
    lesion: NDArray[np.bool_]
    change: NDArray[np.bool_] | None = None
    truth: NDArray[np.float32] | None = None

    def scale(self, lesion: NDArray[np.bool_] | None = None) -> IntensityScale:
        """The intensity scale of the foreground, the known or the given lesion left out."""
        return scale_from(self.raw, self.foreground, self.lesion if lesion is None else lesion)


def load_subject(case: Case, foreground_of: ForegroundOf | None = None) -> Subject:
    """Read a case and bring it to the model grid.

    :param foreground_of: finds the brain where the case names no foreground.
    :raises InputError: when a file is at fault, or the foreground is neither given nor can be found.
    """
    if case.image is None:
        raise InputError(f"case '{case.case}' has no image: fill the column 'image'")
    scan = read_scan(case.image)
    conformed = conform(scan)
    image = conformed.image
    if case.foreground is not None:
        foreground = _mask(case.foreground, scan, conformed)
    elif foreground_of is not None:
        foreground = foreground_of(image)
    else:
        raise InputError(f"case '{case.case}' has no foreground: fill the column 'foreground' with a brain mask")
    if not foreground.any():
        raise InputError(f"{case.foreground or case.image}: no brain is marked or found: give another brain mask")
    lesion = (
        np.zeros(image.shape, bool) if case.mask is None or case.kind == "normal" else _mask(case.mask, scan, conformed)
    )
    change_path = case.extra.get("change_mask")
    change = _mask(Path(change_path), scan, conformed) if change_path else None
    return Subject(
        case=case,
        raw=image,
        geometry=conformed.geometry,
        foreground=foreground | lesion,
        lesion=lesion,
        change=change,
        truth=_truth(case, conformed.geometry) if case.has_truth else None,
    )


def _mask(path: Path, scan: Scan, conformed: Conformed) -> NDArray[np.bool_]:
    mask, _ = read_mask(path, scan)
    return mask_to_model(mask, conformed)


def _truth(case: Case, grid: Geometry) -> NDArray[np.float32]:
    assert case.normal is not None
    truth = conform(read_scan(case.normal))
    if not same_grid(truth.geometry, grid):
        raise InputError(f"{case.normal}: lies on another grid than {case.image}: give the normal on the image's grid")
    return truth.image
