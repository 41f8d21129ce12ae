"""Lesion shapes: real ones from elsewhere, or smooth random blobs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial.transform import Rotation

from pseudonormal.regions import connected, largest

PAD = 3  # voxels around a shape, for its soft edge


class ShapeSource(Protocol):
    """Draws a soft lesion shape of a wanted volume."""

    def draw(self, voxels: int, rng: Generator) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Draw one shape.

        :param voxels: wanted volume in voxels (at 1 mm: mm³) of the region above 0.5.
        :returns: (D, H, W) field whose 0.5 level set is the lesion's surface, just large enough to hold it, and the
            parameters that were drawn.
        """
        ...


@dataclass(frozen=True)
class SmoothBlob:
    """Random blobs: smoothed white noise inside a ball, cut where the wanted volume is reached."""

    roughness: tuple[float, float] = (0.15, 0.4)

    def draw(self, voxels: int, rng: Generator) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """See :class:`ShapeSource`; correlation length as a share of the radius is drawn from ``roughness``."""
        radius = (3 * voxels / (4 * np.pi)) ** (1 / 3)
        half = int(np.ceil(1.7 * radius)) + 3
        share = rng.uniform(*self.roughness)
        weight = rng.uniform(0.5, 1.5)
        noise = ndimage.gaussian_filter(rng.standard_normal((2 * half + 1,) * 3), max(0.8, share * radius))
        noise /= noise.std()
        axes = np.exp(rng.uniform(-0.3, 0.3, 3))
        grid = np.meshgrid(*[np.arange(-half, half + 1)] * 3, indexing="ij")
        distance = np.sqrt(sum((g / a) ** 2 for g, a in zip(grid, axes, strict=True))) / radius
        height = weight * noise * 0.35 - distance
        cut = np.partition(height.ravel(), -voxels)[-voxels] if voxels < height.size else height.min()
        return _soften(largest(height >= cut), 0.7), {
            "shape": "blob",
            "roughness": float(share),
            "weight": float(weight),
        }


class Transplant:
    """Real lesion shapes of other subjects, turned, mirrored and scaled to the wanted volume."""

    def __init__(self, masks: Sequence[NDArray[np.bool_]]) -> None:
        """Cut the masks into connected lesions.

        :param masks: (D, H, W) lesion masks on 1 mm grids; components under 30 voxels are left out.
        """
        self._shapes: list[NDArray[np.bool_]] = []
        for mask in masks:
            labels, _ = connected(mask)
            for index, box in enumerate(ndimage.find_objects(labels), start=1):
                shape = labels[box] == index
                if shape.sum() >= 30:
                    self._shapes.append(shape)
        sizes = np.array([shape.sum() for shape in self._shapes])
        self._log_sizes = np.log(np.maximum(sizes, 1))

    def __len__(self) -> int:
        return len(self._shapes)

    def draw(self, voxels: int, rng: Generator) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """See :class:`ShapeSource`; shapes of about the wanted volume are preferred, there must be at least one."""
        odds = np.exp(-0.5 * ((self._log_sizes - np.log(voxels)) / 0.7) ** 2) + 1e-6
        chosen = int(rng.choice(len(self._shapes), p=odds / odds.sum()))
        shape = self._shapes[chosen]
        scale = (voxels / shape.sum()) ** (1 / 3)
        angles = rng.uniform(-30, 30, 3)
        mirrored = bool(rng.random() < 0.5)
        source = shape[:, :, ::-1] if mirrored else shape
        matrix = Rotation.from_euler("zyx", angles, degrees=True).as_matrix() / scale
        corners = np.abs(matrix * scale) @ (np.array(source.shape) * scale)
        size = np.ceil(corners).astype(int) + 2 * int(np.ceil(2 * max(1.0, scale)))  # the soft edge grows with it
        offset = (np.array(source.shape) - 1) / 2 - matrix @ ((size - 1) / 2)
        soft = _soften(source, 0.7)
        turned = ndimage.affine_transform(soft, matrix, offset + PAD, tuple(size), order=1)
        record = {"shape": "transplant", "index": chosen, "scale": float(scale), "mirrored": mirrored}
        return turned.astype(np.float32), record | {"angles": [float(a) for a in angles]}


def _soften(shape: NDArray[np.bool_], sigma: float) -> NDArray[np.float32]:
    return ndimage.gaussian_filter(np.pad(shape, PAD).astype(np.float32), sigma)
