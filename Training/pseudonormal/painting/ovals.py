"""Drawn pictures of simple shapes: a fetal head in ultrasound, an optic disc in a fundus photograph, roughly."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import ndimage

Kind = Literal["head", "disc"]


def oval_picture(mask: NDArray[np.bool_], kind: Kind, rng: Generator) -> NDArray[np.float32]:
    """A picture whose object is this mask.

    "head": speckle as in ultrasound, a bright wall that is missing where the beam runs along it, darker inside, bright
    streaks of other tissue elsewhere. "disc": a bright disc with a brighter cup on shaded ground, crossed by dark
    vessels.

    :param mask: (H, W), one roundish object.
    :returns: (H, W) float32, about 0 to 1.
    """
    return _head(mask, rng) if kind == "head" else _disc(mask, rng)


def _head(mask: NDArray[np.bool_], rng: Generator) -> NDArray[np.float32]:
    edge = mask.shape[0]
    inside, outside = ndimage.distance_transform_edt(mask), ndimage.distance_transform_edt(~mask)
    distance = np.where(mask, 0.5 - inside, outside - 0.5)
    image = np.where(mask, rng.uniform(0.12, 0.22), rng.uniform(0.34, 0.46))
    image = image + 0.1 * _smooth(mask.shape, edge / 8, rng)
    for _ in range(int(rng.integers(1, 4))):  # tissue that looks like a piece of wall
        image = image + rng.uniform(0.2, 0.4) * _streak(mask, rng) * (distance > 3)
    rows, columns = np.indices(mask.shape)
    centre = ndimage.center_of_mass(mask)
    slope = np.arctan2(rows - centre[0], columns - centre[1])
    lit = np.clip(0.35 + np.abs(np.sin(slope + rng.normal(0, 0.3))), 0, 1)
    wall = np.exp(-0.5 * ((distance + 0.5) / (edge * rng.uniform(0.014, 0.022))) ** 2)
    image = image + rng.uniform(0.4, 0.55) * wall * lit
    speckle = ndimage.gaussian_filter(rng.rayleigh(1.0, mask.shape), 0.7) / 1.253
    return np.clip(image * speckle, 0, 1.2).astype(np.float32)


def _disc(mask: NDArray[np.bool_], rng: Generator) -> NDArray[np.float32]:
    edge = mask.shape[0]
    soft = ndimage.gaussian_filter(mask.astype(float), edge * 0.012)
    inside = ndimage.distance_transform_edt(mask)
    cup = 1 / (1 + np.exp(-(inside - rng.uniform(0.5, 0.7) * inside.max()) / (0.02 * edge)))
    image = rng.uniform(0.3, 0.42) + 0.12 * _smooth(mask.shape, edge / 4, rng)
    image = image + rng.uniform(0.2, 0.3) * soft + rng.uniform(0.1, 0.18) * cup * soft
    for _ in range(int(rng.integers(3, 7))):
        image = image - rng.uniform(0.1, 0.2) * _streak(mask, rng)
    return np.clip(image + rng.normal(0, 0.04, mask.shape), 0, 1.2).astype(np.float32)


def _streak(mask: NDArray[np.bool_], rng: Generator) -> NDArray[np.float64]:
    """A curved line through the picture, (H, W) in [0, 1]."""
    rows, columns = np.indices(mask.shape) / mask.shape[0]
    angle, bend = rng.uniform(0, np.pi), rng.uniform(-0.8, 0.8)
    along = (columns - rng.uniform(0.2, 0.8)) * np.cos(angle) + (rows - rng.uniform(0.2, 0.8)) * np.sin(angle)
    across = -(columns - 0.5) * np.sin(angle) + (rows - 0.5) * np.cos(angle)
    line: NDArray[np.float64] = np.exp(-0.5 * ((along + bend * across**2) / rng.uniform(0.01, 0.02)) ** 2)
    return line


def _smooth(shape: tuple[int, ...], sigma: float, rng: Generator) -> NDArray[np.float64]:
    noise = ndimage.gaussian_filter(rng.standard_normal(shape), sigma)
    smooth: NDArray[np.float64] = noise / noise.std()
    return smooth
