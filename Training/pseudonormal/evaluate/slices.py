"""Axial slices of cases, as distributions of images are compared by."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pseudonormal.cases import TRAIN, Case
from pseudonormal.errors import InputError
from pseudonormal.recipes.um.superpixels import to_network
from pseudonormal.regions import bounding_box
from pseudonormal.training.coarse import coarse_scan
from pseudonormal.training.references import FindForeground, Reference, read_reference

VOXEL_MM = 2
EDGE = 96  # of a slice with a whole brain; larger ones are cut around their middle
LEAST_FOREGROUND = 0.2  # of the scan's largest slice


def real_cases(cases: Sequence[Case]) -> list[Case]:
    """Real scans to compare with: those that nothing was trained on, or all where all are in split train.

    :raises InputError: there is none.
    """
    real = [case for case in cases if case.image is not None and not case.synthetic]
    found = [case for case in real if case.split != TRAIN] or real
    if not found:
        raise InputError("no real scan to compare with: list some that are not in split 'train'")
    return found


def slices_of_cases(cases: Sequence[Case], foreground_of: FindForeground) -> NDArray[np.float32]:
    """Slices of all cases, (N, 96, 96).

    :raises InputError: a file cannot be used.
    """
    scans = [coarse_scan(read_reference(case, foreground_of, unknown=True), VOXEL_MM) for case in cases]
    return np.concatenate([slices_of(scan) for scan in scans])


def slices_of(scan: Reference) -> NDArray[np.float32]:
    """Slices with enough foreground, around its middle, in [-1, 1] and -1 outside; (N, 96, 96).

    :param scan: on a grid of 2 mm.
    """
    box = bounding_box(scan.brain)
    assert box is not None
    area = scan.brain.sum(axis=(1, 2))
    levels = np.flatnonzero(area >= LEAST_FOREGROUND * area.max())
    shown = np.where(scan.brain, to_network(scan.image), np.float32(-1))[levels]
    middles = [(axis.start + axis.stop) // 2 for axis in box[1:]]
    wide = np.pad(shown, [(0, 0), (EDGE, EDGE), (EDGE, EDGE)], constant_values=-1)
    y, x = (middle + EDGE - EDGE // 2 for middle in middles)
    return np.ascontiguousarray(wide[:, y : y + EDGE, x : x + EDGE])
