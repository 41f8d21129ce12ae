"""The scan as a whole in a few numbers: its brain, its intensities, and how sure the lesion mask is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pseudonormal.errors import InputError
from pseudonormal.regions import moments
from pseudonormal.scan.scan import Geometry

PROFILE = (1, 5, 10, 25, 75, 90, 95, 99)  # percentiles; the median is 0


@dataclass(frozen=True)
class Brain:
    """What is told of the brain.

    :param volume_ml: of the brain, lesions included.
    :param centre_ras: its centre of mass, RAS mm.
    :param profile: the percentiles ``PROFILE`` of normal tissue in robust z: tells contrasts apart, knows no units.
    :param uncertain_ml: see :func:`uncertain_ml`, of the brain outside all findings; None when nothing said how likely
        a lesion is.
    """

    volume_ml: float
    centre_ras: tuple[float, float, float]
    profile: tuple[float, ...]
    uncertain_ml: float | None


def measure_brain(
    image: NDArray,
    foreground: NDArray[np.bool_],
    lesion: NDArray[np.bool_],
    z_scale: float,
    geometry: Geometry,
    probability: NDArray[np.floating] | None = None,
) -> Brain:
    """Describe a brain.

    :param image: (D, H, W) the scan in its own units.
    :param foreground: (D, H, W) the brain.
    :param lesion: (D, H, W) the lesion mask.
    :param z_scale: scan units per robust standard deviation.
    :param geometry: the scan's grid.
    :param probability: (D, H, W) lesion probability 0 to 1.
    :raises InputError: the brain is empty.
    """
    if not foreground.any():
        raise InputError("the foreground is empty: give a mask that holds the brain")
    normal = foreground & ~lesion
    tissue = image[normal if normal.any() else foreground]
    tissue = tissue[np.isfinite(tissue)].astype(np.float64)
    profile = np.zeros(len(PROFILE))
    if tissue.size:
        profile = (np.percentile(tissue, PROFILE) - np.median(tissue)) / z_scale
    centre = geometry.to_ras(moments(foreground)[0][None])[0]
    return Brain(
        volume_ml=float(np.count_nonzero(foreground)) * geometry.voxel_ml,
        centre_ras=(float(centre[0]), float(centre[1]), float(centre[2])),
        profile=tuple(round(float(value), 3) for value in profile),
        uncertain_ml=None if probability is None else uncertain_ml(probability[normal], geometry),
    )


def uncertain_ml(probability: NDArray[np.floating], geometry: Geometry) -> float:
    """Volume that is expected to be wrong in a mask drawn at one half: ``sum min(p, 1 - p)``, in ml.

    :param probability: (N,) lesion probability of the voxels that count; what is not finite is as likely as not.
    :param geometry: of their grid.
    """
    known = np.clip(np.nan_to_num(probability.astype(np.float64), nan=0.5, posinf=0.5, neginf=0.5), 0.0, 1.0)
    return float(np.minimum(known, 1 - known).sum()) * geometry.voxel_ml
