"""What looks like a lesion and is none: enhancing vessels, sinuses, plexus and dura, flow voids."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import ndimage

from pseudonormal.painting.drainage import Drainage

SURFACE_MM = 8  # most large vessels run on the brain's surface
STEPS_MM = (15, 60)
RADII_MM = (0.7, 1.8)
SINUS_RADII_MM = (2.0, 5.0)
SINUS_DEPTH_MM = 3
BEND = 0.25  # how much a vessel turns at each millimetre
DURA_MM = 2.5
DARK = -1.5  # robust z under which T1 shows liquid, which vessels and plexus lie in
PLEXUS_SHARE = (0.05, 0.35)  # of the liquid
AGENT_ODDS = {Drainage.FOLD: 0.6, Drainage.SINUS: 0.85, Drainage.PLEXUS: 0.6}
PATCHY_MM = 5.0


def paint_vessels(
    image: NDArray[np.float32], brain: NDArray[np.bool_], rng: Generator, *, bright: bool
) -> NDArray[np.float32]:
    """Draw winding vessels, mostly along the surface and in liquid.

    With contrast agent there are now and then sinuses (thick, at the very surface), plexus (crumbs in liquid) and a
    stretch of dura too.

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
    liquid = ndimage.binary_opening(brain & (image < DARK)) if bright else np.zeros_like(brain)
    wet = np.argwhere(liquid)
    pools = [pool for pool in (near, near, wet, places) if len(pool)]
    painted = image
    for radius in rng.uniform(*RADII_MM, 2):
        painted = _vessels(painted, brain, pools, int(rng.integers(1, 9)), float(radius), _level(rng, bright), rng)
    if not bright:
        return painted.astype(np.float32)
    if rng.random() < 0.5:
        edge = places[depth[tuple(places.T)] <= SINUS_DEPTH_MM]
        radius = float(rng.uniform(*SINUS_RADII_MM))
        painted = _vessels(painted, brain, [edge], int(rng.integers(1, 4)), radius, _level(rng, bright), rng)
    if len(wet) and rng.random() < 0.5:
        painted = _mixed(painted, _crumbs(liquid, rng), brain, _level(rng, bright))
    if rng.random() < 0.4:
        side = (np.indices(brain.shape).reshape(3, -1).T - places.mean(0)) @ rng.normal(0, 1, 3)
        sheet = (depth <= rng.uniform(1, DURA_MM)) & (side.reshape(brain.shape) > 0)
        opacity = ndimage.gaussian_filter(sheet.astype(np.float32), 0.5)
        painted = _mixed(painted, opacity, brain, _level(rng, bright))
    return painted.astype(np.float32)


def paint_agent(
    image: NDArray[np.float32], brain: NDArray[np.bool_], where: NDArray[np.uint8], rng: Generator
) -> NDArray[np.float32]:
    """Brighten what contrast agent brightens in a normal head: sinuses, folds of dura, plexus, each now and then.

    :param image: (D, H, W) in robust z, 1 mm voxels.
    :param brain: (D, H, W); nothing outside it changes.
    :param where: (D, H, W) numbers of :class:`pseudonormal.painting.drainage.Drainage`.
    :returns: (D, H, W) float32.
    """
    painted = image
    for part, odds in AGENT_ODDS.items():
        place = brain & (where == part)
        if not place.any() or rng.random() >= odds:
            continue
        if part == Drainage.PLEXUS:
            opacity = _crumbs(place, rng)
        else:  # a part of it, thicker or thinner
            noise = ndimage.gaussian_filter(rng.standard_normal(place.shape, dtype=np.float32), PATCHY_MM)
            kept = place & (noise > np.quantile(noise[place], rng.uniform(0, 0.6)))
            wide = kept if rng.random() < 0.5 else ndimage.binary_dilation(kept)
            opacity = ndimage.gaussian_filter(wide.astype(np.float32), float(rng.uniform(0.4, 0.9)))
        painted = _mixed(painted, opacity, brain, _level(rng, bright=True))
    return painted.astype(np.float32)


def _vessels(
    image: NDArray[np.float32],
    brain: NDArray[np.bool_],
    pools: list[NDArray[np.intp]],
    count: int,
    radius: float,
    level: float,
    rng: Generator,
) -> NDArray[np.float32]:
    """So many vessels of one radius and brightness, each from a place of one of the pools (equal odds)."""
    line = np.zeros(brain.shape, bool)
    for _ in range(count):
        pool = pools[int(rng.integers(len(pools)))]
        path = _path(pool[int(rng.integers(len(pool)))], rng)
        kept = path[((path >= 0) & (path < brain.shape)).all(1)]
        line[tuple(kept.T)] = True
    opacity = np.clip(radius + 0.5 - ndimage.distance_transform_edt(~line), 0, 1)
    return _mixed(image, opacity, brain, level)


def _crumbs(liquid: NDArray[np.bool_], rng: Generator) -> NDArray[np.float32]:
    """Opacity of plexus: a random part of the liquid in pieces of a few millimetres."""
    noise = ndimage.gaussian_filter(rng.standard_normal(liquid.shape, dtype=np.float32), float(rng.uniform(1.0, 2.5)))
    least = np.quantile(noise[liquid], 1 - rng.uniform(*PLEXUS_SHARE))
    return ndimage.gaussian_filter((liquid & (noise > least)).astype(np.float32), 0.5)


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
