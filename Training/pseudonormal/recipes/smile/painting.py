"""What the painter is given besides a normal image: a soft mask and noise."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import ndimage

SOFT_MM = 0.8


def soft_edge(hole: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Opacity in [0, 1] that fades towards the mask's border from within; 0 outside it, (D, H, W)."""
    return np.where(hole, np.clip(2 * ndimage.gaussian_filter(hole.astype(np.float32), SOFT_MM) - 0.5, 0, 1), 0).astype(
        np.float32
    )


def painter_noise(shape: tuple[int, ...], rng: Generator) -> NDArray[np.float32]:
    """One number for the whole lesion plus white noise, together of unit variance."""
    white = rng.standard_normal(shape, dtype=np.float32)
    return ((white + np.float32(rng.standard_normal())) / np.sqrt(2)).astype(np.float32)
