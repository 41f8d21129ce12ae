"""What a case looks like in a few numbers, and an order in which like cases stand apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

NEAR = 0.7  # distance at which a case is about 0.7 new, in typical distances of cases from the middle one
LEAST_NEW = 0.1  # what the very same case again is worth: somebody has to look at it, too
_PROFILE = 8  # numbers of the brain's intensity profile
_SCALE_MM = 70.0  # about the radius of a brain: positions are shares of it


def descriptor(report: Mapping[str, Any]) -> NDArray[np.float64]:
    """A case in numbers of like weight: how much, how many, where, how bright, and what kind of scan.

    Logarithms of volume (ml) and number of findings, their volume-weighted mean position about the brain's centre (in
    brain radii, RAS) and mean difference (robust z), the brain's volume, its intensity profile (robust z).

    :param report: the content of ``report.json``.
    :returns: (15,); 0 for what is not known.
    """
    brain, findings = report.get("brain") or {}, [entry for entry in report.get("findings", ()) if "volume_ml" in entry]
    volumes = np.array([float(entry["volume_ml"]) for entry in findings])
    total = float(volumes.sum())
    centre, contrast = np.zeros(3), 0.0
    if total > 0:
        shares = volumes / total
        middle = np.array(brain.get("centre_ras", (0.0, 0.0, 0.0)), float)
        places = np.array([entry.get("centroid_ras", middle) for entry in findings], float)
        centre = shares @ (places - middle) / _SCALE_MM
        contrast = float(shares @ np.array([float(entry.get("mean_z", 0.0)) for entry in findings]))
    profile = np.zeros(_PROFILE)
    known = np.array(brain.get("profile", ()), float)[:_PROFILE]
    profile[: known.size] = known
    size = np.log(max(float(brain.get("volume_ml", 0.0)), 1.0))
    return np.array([np.log1p(total), np.log1p(len(findings)), *centre, contrast / 2, size, *(profile / _PROFILE)])


def apart(
    descriptors: NDArray[np.float64], worth: NDArray[np.float64], seen: Sequence[int] = ()
) -> list[tuple[int, float]]:
    """Greedy order: the case that is worth most where it is new comes next (farthest-first, weighted).

    A case's turn has the value ``worth · novelty``, with ``novelty`` from ``LEAST_NEW`` (the same as one before) to 1
    (unlike all before): ``1 - (1 - LEAST_NEW) exp(-d / NEAR)`` for the distance ``d`` to the nearest case before it,
    in units of the median distance of all cases from the middle one. Values never rise along the order. Of equal cases
    the earlier row comes first.

    :param descriptors: (N, F) from :func:`descriptor`.
    :param worth: (N,) from 0.
    :param seen: rows that stand before all others: cases that are done already.
    :returns: (row, value) of all others, in order.
    """
    spread = np.linalg.norm(descriptors - np.median(descriptors, axis=0), axis=1)
    scaled = descriptors / (float(np.median(spread)) or float(spread.mean()) or 1.0)
    nearest, left = np.full(len(worth), np.inf), np.ones(len(worth), bool)

    def put(row: int) -> None:
        left[row] = False
        np.minimum(nearest, np.linalg.norm(scaled - scaled[row], axis=1), out=nearest)

    for row in seen:
        put(row)
    order: list[tuple[int, float]] = []
    while left.any():
        value = worth * (1 - (1 - LEAST_NEW) * np.exp(-nearest / NEAR))
        row = int(np.argmax(np.where(left, value, -1.0)))
        order.append((row, float(value[row])))
        put(row)
    return order
