"""What looks like a lesion and is none: enhancing vessels, enhancing dura, flow voids."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import ndimage

SURFACE_MM = 8  # most large vessels run on the brain's surface
STEPS_MM = (15, 60)
RADII_MM = (0.7, 1.8)
BEND = 0.25  # how much a vessel turns at each millimetre
DURA_MM = 2.5


def paint_vessels(
    image: NDArray[np.float32], brain: NDArray[np.bool_], rng: Generator, *, bright: bool
) -> NDArray[np.float32]:
    """Draw winding vessels, mostly along the surface; bright ones now and then with a stretch of enhancing dura.

    :param image: (D, H, W) in robust z, 1 mm voxels.
    :param brain: (D, H, W); nothing outside it changes.
    :param bright: contrast agent in the vessels; else they are dark (flow voids).
    :returns: (D, H, W) float32.
    """
    places = np.argwhere(brain)
    if len(places) == 0:
        return image
    depth = ndimage.distance_transform_edt(brain)
    near = places[depth[tuple(places.T)] <= SURFACE_MM]
    painted = image
    for radius in rng.uniform(*RADII_MM, 2):
        line = np.zeros(brain.shape, bool)
        for _ in range(int(rng.integers(1, 9))):
            pool = near if len(near) and rng.random() < 0.75 else places
            path = _path(pool[int(rng.integers(len(pool)))], rng)
            kept = path[((path >= 0) & (path < brain.shape)).all(1)]
            line[tuple(kept.T)] = True
        opacity = np.clip(radius + 0.5 - ndimage.distance_transform_edt(~line), 0, 1)
        painted = _mixed(painted, opacity, brain, _level(rng, bright))
    if bright and rng.random() < 0.4:
        side = (np.indices(brain.shape).reshape(3, -1).T - places.mean(0)) @ rng.normal(0, 1, 3)
        sheet = (depth <= rng.uniform(1, DURA_MM)) & (side.reshape(brain.shape) > 0)
        opacity = ndimage.gaussian_filter(sheet.astype(np.float32), 0.5)
        painted = _mixed(painted, opacity, brain, _level(rng, bright))
    return painted.astype(np.float32)


def _path(start: NDArray[np.integer], rng: Generator) -> NDArray[np.intp]:
    """Voxels of a walk whose direction drifts."""
    turns = rng.normal(0, BEND, (int(rng.integers(*STEPS_MM)), 3))
    turns[0] = rng.normal(0, 1, 3)
    headings = np.cumsum(turns, 0)
    headings /= np.linalg.norm(headings, axis=1, keepdims=True)
    return np.rint(start + np.cumsum(headings, 0)).astype(np.intp)


def _level(rng: Generator, bright: bool) -> float:
    return float(rng.uniform(1.5, 8.0) if bright else -rng.uniform(1.0, 4.0))


def _mixed(image: NDArray[np.float32], opacity: NDArray, brain: NDArray[np.bool_], level: float) -> NDArray[np.float32]:
    covered = opacity * brain
    return image * (1 - covered) + level * covered
