"""Put a lesion into a scan on the scan's own grid and in its own number type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from pseudonormal.generate.composite import composite
from pseudonormal.intensity import scale_from
from pseudonormal.lesions.source import LesionSource
from pseudonormal.scan.conform import Conformed, to_native
from pseudonormal.scan.scan import Scan

LESION_DISTANCE_MM = 5.0  # simulated lesions keep this far from real ones


@dataclass(frozen=True)
class Simulated:
    """A scan with a lesion that was put there; arrays (D, H, W) on the scan's own grid.

    :param array: of the scan's type and units; equals the scan outside ``mask`` bit for bit.
    :param mask: the lesion.
    :param record: JSON-ready parameters, ``volume_ml`` on this grid among them.
    """

    array: NDArray
    mask: NDArray[np.bool_]
    record: dict[str, Any]


def normal_tissue(foreground: NDArray[np.bool_], lesion: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Where a lesion may be put: the foreground, 5 mm away from real lesions.

    :param foreground: (D, H, W) the brain on the model grid (1 mm).
    :param lesion: (D, H, W) the known lesions.
    """
    if not lesion.any():
        return foreground
    return np.asarray(foreground & (distance_transform_edt(~lesion) > LESION_DISTANCE_MM), bool)


def simulate_lesion(
    scan: Scan,
    conformed: Conformed,
    foreground: NDArray[np.bool_],
    lesion: NDArray[np.bool_],
    source: LesionSource,
    rng: Generator,
    *,
    allowed: NDArray[np.bool_] | None = None,
    family: str | None = None,
    volume_ml: tuple[float, float] = (0.5, 40.0),
) -> Simulated | None:
    """Simulate one lesion.

    It is drawn on the model grid in scaled intensities. What it changes there (with lesion - without) is brought back
    to the native grid and added to the scan inside the mask, so the scan's own detail stays under it.

    :param conformed: the scan on the model grid.
    :param foreground: (D, H, W) the brain on the model grid.
    :param lesion: (D, H, W) known real lesions on the model grid.
    :param allowed: (D, H, W) where on the model grid it may lie; :func:`normal_tissue` when not given.
    :param family: appearance; drawn when not given.
    :param volume_ml: range of its volume on the model grid.
    :returns: None when no place of the wanted size was found.
    :raises InputError: when the brain has no contrast.
    """
    scale = scale_from(conformed.image, foreground, lesion)
    where = normal_tissue(foreground, lesion) if allowed is None else allowed
    drawn = source.sample(scale.apply(conformed.image), where, rng, family=family, volume_ml=volume_ml)
    if drawn is None:
        return None
    mask = to_native(drawn.mask.astype(np.float32), conformed) >= 0.5
    if not mask.any():  # thinner than a slice, between two of them
        return None
    change = to_native(drawn.image - drawn.truth, conformed) * np.float64(scale.high - scale.low)
    array = composite(scan, scan.array.astype(np.float64) + change, mask)
    volume = round(float(mask.sum()) * scan.geometry.voxel_ml, 4)
    return Simulated(array, mask, drawn.record | {"volume_ml": volume})
