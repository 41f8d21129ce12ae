"""Samples of recipe ``shape``: pictures without masks and masks without pictures, in turn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import ndimage

from pseudonormal.recipes.shape.masks import small_move
from pseudonormal.recipes.shape.material import ShapeMaterial, pictures_of
from pseudonormal.recipes.shape.options import ShapeOptions

STREAMS = ("picture", "mask")
WAVES = 6  # along each axis


def as_seen(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Intensities as networks see and make them, about -1 to 1."""
    return np.clip(2 * image - 1, -1, 1.2).astype(np.float32)


def many_scales(shape: tuple[int, ...], rng: Generator) -> NDArray[np.float32]:
    """Noise of variance about 1, half of it in single voxels and half in slow waves: what masks say nothing of.

    Without the waves no generator can draw what surrounds an object otherwise than everywhere alike.
    """
    white = rng.standard_normal(shape, dtype=np.float32)
    few = rng.standard_normal((WAVES,) * len(shape), dtype=np.float32)
    waves = ndimage.zoom(few, [n / WAVES for n in shape], order=1)
    return ((white + waves / max(float(waves.std()), 1e-6)) / np.sqrt(2)).astype(np.float32)


class Drawing:
    """Draws from the material; nothing says which mask could belong to which picture."""

    def __init__(self, material: ShapeMaterial, options: ShapeOptions) -> None:
        """Take what is learnt from."""
        self._material, self._options = material, options

    def samples(self, rng: Generator) -> Iterator[dict[str, Any]]:
        """Pictures and masks in turn, (*S) each."""
        pictures = pictures_of(self._material.scans, self._options.dimensions)
        while True:
            picture = pictures[int(rng.integers(len(pictures)))]
            yield {"stream": "picture", "picture": as_seen(picture.image)}
            yield {"stream": "mask", "picture": self._mask(rng)}

    def _mask(self, rng: Generator) -> NDArray[np.bool_]:
        options = self._options
        if options.dimensions == 2 and rng.random() < options.empty:
            return np.zeros(options.shape, bool)
        return self._material.masks.draw(options.shape, rng)

    def row(self, sample: dict[str, Any], rng: Generator) -> dict[str, Any]:
        """A sample as networks see it: flipped, all random numbers a loss needs; pictures with another gain.

        Where auxiliary masks are moved a little, pictures are too, by moves of the same kind.
        """
        is_mask = sample["stream"] == "mask"
        picture = sample["picture"].astype(np.float32)
        if not is_mask:
            if self._material.masks.moves:
                picture = small_move(picture.shape, rng)(picture)
            picture = np.clip(picture * np.exp(rng.normal(0, 0.05)) + rng.normal(0, 0.05), -1.2, 1.2)
        if rng.random() < 0.5:
            picture = picture[..., ::-1]
        shape, ones = picture.shape, (1,) * picture.ndim
        return {
            "picture": np.ascontiguousarray(picture, np.float32),
            "noise": many_scales(shape, rng),
            "grain": rng.standard_normal(shape, dtype=np.float32),
            "is_mask": np.full(ones, is_mask, np.float32),
            "coin": np.full(ones, rng.random(), np.float32),
            "draw": rng.standard_normal((*ones[:-1], self._options.latent), dtype=np.float32),
        }
