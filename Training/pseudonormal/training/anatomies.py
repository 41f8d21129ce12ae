"""Label maps of whole heads, from which scans of any contrast are painted."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from pseudonormal.cases import Case
from pseudonormal.errors import InputError
from pseudonormal.fills.symmetry import symmetry_plane
from pseudonormal.painting.mean_head import mean_head
from pseudonormal.painting.tissues import brain_of, group_numbers, is_intracranial
from pseudonormal.regions import bounding_box
from pseudonormal.scan.conform import conform
from pseudonormal.scan.reading import read_scan

MEAN_HEADS = 3  # made from the mean brain; each poses differently at every use
MARGIN = 2  # voxels of air kept around the head


@dataclass(frozen=True)
class Anatomy:
    """A whole head as tissue groups, from which any contrast can be painted (1 mm, RAS axes).

    :param groups: (D, H, W) uint8 group numbers, see :mod:`pseudonormal.painting.tissues`.
    :param brain: (D, H, W).
    :param labels: (D, H, W) int16, the FreeSurfer numbers that the groups were made from; None when there were none.
    """

    groups: NDArray[np.uint8]
    brain: NDArray[np.bool_]
    labels: NDArray[np.int16] | None = None


def read_anatomy(case: Case) -> Anatomy:
    """Read the label map (FreeSurfer numbers) that a case's column ``labels`` names, cut to the head.

    :raises InputError: it cannot be read, holds no brain, or its voxels are not 1 mm.
    """
    path = case.extra["labels"]
    conformed = conform(read_scan(path))
    if not conformed.exact:
        raise InputError(f"{path}: label maps need voxels of 1 mm: resample it with nearest neighbour first")
    labels = np.rint(conformed.image).astype(np.int16)
    box = bounding_box(labels > 0)
    groups = group_numbers(labels)
    if box is None or not is_intracranial(groups).any():
        raise InputError(f"{path}: holds no label of the brain: give a label map with FreeSurfer's numbers")
    head = tuple(slice(max(0, axis.start - MARGIN), axis.stop + MARGIN) for axis in box)
    return Anatomy(groups[head], brain_of(labels[head]), labels[head])


@cache
def mean_anatomies() -> tuple[Anatomy, ...]:
    """Brains made from the mean brain that the software ships, for where no label map is given; always the same."""
    return tuple(Anatomy(*mean_head(np.random.default_rng(seed))) for seed in range(MEAN_HEADS))


def mirrored_groups(anatomy: Anatomy) -> NDArray[np.uint8]:
    """The anatomy's groups seen in its own plane of symmetry (nearest neighbour; air beyond the field of view).

    :returns: (D, H, W) uint8.
    """
    plane = symmetry_plane(anatomy.groups.astype(np.float32), anatomy.brain)
    normal = plane.normal
    centre = (np.array(plane.shape) - 1) / 2
    # A point v is mirrored to v - 2 (n . (v - centre) - offset) n.
    matrix = np.eye(3) - 2 * np.outer(normal, normal)
    shift = 2 * (normal @ centre + plane.offset_mm) * normal
    mirrored: NDArray[np.uint8] = ndimage.affine_transform(
        anatomy.groups, matrix, shift, plane.shape, order=0, mode="constant"
    )
    return mirrored
