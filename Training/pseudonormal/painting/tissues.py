"""Anatomical label maps (FreeSurfer numbers) as groups of tissue that share a mean intensity."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

# Order matters: contrast.py gives one mean to each group.
GROUPS: dict[str, tuple[int, ...]] = {
    "air": (0,),
    "white_matter": (2, 41, 25, 57, 77, 78, 79, 85, 251, 252, 253, 254, 255),
    "cortex": (3, 42),
    "csf": (4, 5, 14, 15, 24, 43, 44, 72),
    "cerebellum_white": (7, 46),
    "cerebellum_cortex": (8, 47),
    "thalamus": (10, 49),
    "striatum": (11, 12, 26, 50, 51, 58, 136, 137, 163, 164),
    "pallidum": (13, 52),
    "brainstem": (16, 28, 60),
    "limbic": (17, 18, 53, 54),
    "vessel": (30, 62),
}
SULCAL_CSF = 24
EXTRACEREBRAL_FROM = 500  # 5xx: skull, scalp, eyes, muscle and so on; each is a group of its own
CLOSING_MM = 3


def group_numbers(labels: NDArray[np.integer]) -> NDArray[np.uint8]:
    """Replace label numbers by group indices: the position in ``GROUPS``, then one group per 5xx label.

    :param labels: (D, H, W) FreeSurfer numbers; those that name nothing known count as air.
    :returns: (D, H, W) uint8.
    """
    table = np.zeros(1024, np.uint8)
    for index, numbers in enumerate(GROUPS.values()):
        table[list(numbers)] = index
    for number in range(EXTRACEREBRAL_FROM, EXTRACEREBRAL_FROM + 64):
        table[number] = len(GROUPS) + number - EXTRACEREBRAL_FROM
    return table[np.clip(labels, 0, table.size - 1)]


def brain_of(labels: NDArray[np.integer]) -> NDArray[np.bool_]:
    """The brain with its ventricles and closed sulci, without the CSF around it.

    :param labels: (D, H, W) FreeSurfer numbers, 1 mm voxels.
    :returns: (D, H, W) mask; empty where no label names brain tissue.
    """
    tissue = (labels > 0) & (labels < EXTRACEREBRAL_FROM) & (labels != SULCAL_CSF)
    if not tissue.any():
        return tissue
    box = ndimage.find_objects(tissue.astype(np.uint8))[0]
    part = np.pad(tissue[box], CLOSING_MM + 1)
    # closing by distances: one pass instead of a dilation and an erosion with a large ball
    grown = ndimage.distance_transform_edt(~part) <= CLOSING_MM
    closed = ndimage.distance_transform_edt(grown) > CLOSING_MM
    inner = (slice(CLOSING_MM + 1, -CLOSING_MM - 1),) * 3
    brain = np.zeros(labels.shape, bool)
    brain[box] = ndimage.binary_fill_holes((closed | part)[inner])
    return brain


def is_intracranial(groups: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where group numbers stand for brain tissue or CSF, not for air, skull or scalp; any shape."""
    return (groups > 0) & (groups < len(GROUPS))
