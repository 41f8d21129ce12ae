"""Appearance families: what a lesion does to the tissue under it.

Each family is a function ``(truth, opacity, rng) -> (image, parameters)`` on one box: ``truth`` (D, H, W) float32 in
scaled intensities, ``opacity`` (D, H, W) in [0, 1], 0 where nothing may change. The parameters suffice to describe the
lesion in a record. The set follows the review of published simulators in UNA (Liu 2025) widened by both signs,
replacing, partly opaque, textured, rimmed and displacing lesions, because a restorer that has seen one sign of
additive lesions only fails on every other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import ndimage

Array = NDArray[np.float32]
Family = Callable[[Array, Array, Generator], tuple[Array, dict[str, Any]]]


def additive_bright(truth: Array, opacity: Array, rng: Generator) -> tuple[Array, dict[str, Any]]:
    """``image = truth + strength * opacity``: oedema on FLAIR."""
    strength = float(rng.uniform(0.12, 0.5))
    return truth + strength * _uneven(opacity, rng), {"strength": strength}


def additive_dark(truth: Array, opacity: Array, rng: Generator) -> tuple[Array, dict[str, Any]]:
    """``image = truth - strength * opacity``: white-matter lesions on T1."""
    strength = float(rng.uniform(0.12, 0.5))
    return truth - strength * _uneven(opacity, rng), {"strength": -strength}


def replacing(truth: Array, opacity: Array, rng: Generator) -> tuple[Array, dict[str, Any]]:
    """``image = truth * (1 - opacity) + level * opacity``: cavities, solid tumour."""
    level = _apart_from(_level(truth, opacity), rng)
    grain = _grain(truth.shape, rng.uniform(0.6, 2.0), rng) * rng.uniform(0.0, 0.04)
    return truth * (1 - opacity) + (level + grain) * opacity, {"level": level}


def opaque(truth: Array, opacity: Array, rng: Generator) -> tuple[Array, dict[str, Any]]:
    """Partly opaque: as replacing, with 30-80 % of the tissue covered."""
    level = _apart_from(_level(truth, opacity), rng)
    cover = float(rng.uniform(0.3, 0.8))
    covered = cover * _uneven(opacity, rng)
    return truth * (1 - covered) + level * covered, {"level": level, "cover": cover}


def textured(truth: Array, opacity: Array, rng: Generator) -> tuple[Array, dict[str, Any]]:
    """Additive with a grain of its own at 1-3 mm."""
    strength = float(rng.uniform(0.12, 0.45) * rng.choice([-1, 1]))
    size = float(rng.uniform(1.0, 3.0))
    share = float(rng.uniform(0.2, 0.6))
    grain = _grain(truth.shape, size, rng)
    image = truth + strength * opacity * (1 + share * grain)
    return image, {"strength": strength, "grain_mm": size, "grain_share": share}


def rim(truth: Array, opacity: Array, rng: Generator) -> tuple[Array, dict[str, Any]]:
    """A bright or dark rim around a replaced core: abscess, necrotic tumour, old haemorrhage."""
    inner = core(opacity, float(rng.uniform(0.35, 0.65)))
    sign = float(rng.choice([-1, 1]))
    strength = float(rng.uniform(0.2, 0.5))
    base = _level(truth, opacity)
    level = float(base - sign * rng.uniform(0.1, 0.4))
    shell = np.clip(opacity - inner, 0, 1)
    return truth * (1 - inner) + level * inner + sign * strength * shell, {"strength": sign * strength, "level": level}


def mass_effect(truth: Array, opacity: Array, rng: Generator) -> tuple[Array, dict[str, Any]]:
    """A solid core pushes the tissue of the lesion's region outwards against its border."""
    depth = ndimage.distance_transform_edt(opacity > 0.02)
    deepest = max(float(depth.max()), 1.0)
    reach = float(rng.uniform(0.5, 0.75))  # share of the depth at which the core begins
    inward = np.stack(np.gradient(ndimage.gaussian_filter(depth, 1.0)))
    inward /= np.maximum(np.sqrt((inward**2).sum(0)), 1e-3)
    shift = np.minimum(depth, reach * deepest) * (1 / reach - 1)
    places = np.indices(truth.shape) + inward * shift
    pushed = ndimage.map_coordinates(truth, places, order=1, mode="nearest")
    solid = ndimage.gaussian_filter((depth > reach * deepest).astype(np.float32), 0.7)
    level = _apart_from(_level(truth, opacity), rng)
    mixed = np.where(opacity > 0, pushed * (1 - solid) + level * solid, truth)
    return mixed.astype(np.float32), {"level": level, "reach": reach}


FAMILIES: dict[str, Family] = {
    "additive_bright": additive_bright,
    "additive_dark": additive_dark,
    "replacing": replacing,
    "opaque": opaque,
    "textured": textured,
    "rim": rim,
    "mass_effect": mass_effect,
}


def _level(truth: Array, opacity: Array) -> float:
    return float(truth[opacity > 0.5].mean()) if (opacity > 0.5).any() else float(truth.mean())


def _apart_from(level: float, rng: Generator) -> float:
    """A level that can be told from the tissue's: 0.15 to 0.6 away, either side."""
    return float(level + rng.choice([-1, 1]) * rng.uniform(0.15, 0.6))


def _uneven(opacity: Array, rng: Generator) -> Array:
    """Slow variation within the lesion, so that "additive" does not mean one constant."""
    slow = _grain(opacity.shape, rng.uniform(4, 10), rng)
    return (opacity * np.clip(1 + 0.2 * slow, 0.3, 1.7)).astype(np.float32)


def core(opacity: Array, share: float) -> Array:
    """The inner part of a lesion, from ``share`` of its depth on, softened; (D, H, W) in [0, 1]."""
    depth = ndimage.distance_transform_edt(opacity > 0.5)
    inner = depth > share * depth.max()
    return np.minimum(ndimage.gaussian_filter(inner.astype(np.float32), 0.8), opacity)


def _grain(shape: tuple[int, ...], size_mm: float, rng: Generator) -> Array:
    """White noise on the 1 mm grid, smoothed to a grain of about ``size_mm``, of unit standard deviation."""
    coarse = max(1, int(size_mm // 2))
    small = rng.standard_normal([-(-n // coarse) + 2 for n in shape]).astype(np.float32)
    small = ndimage.gaussian_filter(small, size_mm / coarse)
    noise = ndimage.zoom(small, coarse, order=1) if coarse > 1 else small
    noise = noise[tuple(slice(0, n) for n in shape)]
    return noise / max(float(noise.std()), 1e-6)
