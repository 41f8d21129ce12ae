"""Other lesions in the same heads: a scan made pseudo-normal, then painted on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import nn

from pseudonormal.lesions.shapes import ShapeSource
from pseudonormal.lesions.source import LesionSource
from pseudonormal.networks.unet import whole_edge
from pseudonormal.recipes.smile.painting import painter_noise
from pseudonormal.recipes.smile.predicting import pseudo_normal
from pseudonormal.training.references import Reference

LESIONS = (1, 4)
VOLUME_ML = (0.1, 25.0)
CONTEXT = 64  # voxels: what the painter is shown at least, as in training


class PainterFamily:
    """The painter as an appearance family: ``family(truth, opacity, rng) -> (image, parameters)``."""

    def __init__(self, painter: nn.Module, dimensions: int) -> None:
        """Take a trained painter; it stays where it is."""
        self._painter, self._dimensions = painter, dimensions

    def __call__(
        self, truth: NDArray[np.float32], opacity: NDArray[np.float32], rng: Generator
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Paint one box; see :mod:`pseudonormal.lesions.appearance`. Scaled intensities, nothing where opacity is 0."""
        noise = painter_noise(truth.shape, rng)
        edges = [whole_edge(max(CONTEXT, n)) for n in truth.shape]
        if self._dimensions == 2:
            edges[0] = truth.shape[0]
        padding = [((edge - n) // 2, edge - n - (edge - n) // 2) for edge, n in zip(edges, truth.shape, strict=True)]
        arrays = [np.pad(truth, padding, mode="edge"), np.pad(opacity, padding), np.pad(noise, padding)]
        inner = tuple(slice(before, before + n) for (before, _), n in zip(padding, truth.shape, strict=True))
        painted = self._run(arrays)[inner]
        return np.where(opacity > 0, painted, truth).astype(np.float32), {"painter": self._dimensions}

    def _run(self, arrays: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        """(D, H, W) through the painter: whole in 3D, slices as a batch in 2D."""
        device = next(self._painter.parameters()).device
        flat = self._dimensions == 2
        tensors = [torch.from_numpy(array.astype(np.float32)).to(device) for array in arrays]
        with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16):
            painted = self._painter(*(tensor[:, None] if flat else tensor[None, None] for tensor in tensors))
        whole = painted.float().cpu().numpy()
        return np.asarray(whole[:, 0] if flat else whole[0, 0])


class Augmentation:
    """Draws training pairs from labelled scans and the networks of a run."""

    def __init__(self, networks: Mapping[str, nn.Module], shapes: Sequence[ShapeSource], *, dimensions: int) -> None:
        """Take trained networks ("lesion", "restore", "painter") and the shapes of the lesions to paint."""
        self._networks, self._dimensions = networks, dimensions
        self._source = LesionSource(shapes, {"painter": PainterFamily(networks["painter"], dimensions)})
        self._normals: dict[str, NDArray[np.float32]] = {}

    def augmented(self, scan: Reference, rng: Generator) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """The scan without its own lesions and with others.

        :param scan: labelled or normal; nothing is painted where a reviewer trusts nothing.
        :returns: (D, H, W) image in scaled intensities, and its lesion mask.
        """
        image, lesion = self._normal(scan), np.zeros(scan.brain.shape, bool)
        allowed = scan.brain if scan.weight is None else scan.brain & (scan.weight > 0)
        for _ in range(int(rng.integers(LESIONS[0], LESIONS[1] + 1))):
            painted = self._source.sample(image, allowed & ~lesion, rng, family="painter", volume_ml=VOLUME_ML)
            if painted is not None:
                image = painted.image
                lesion |= painted.opacity > 0.5
        return image, lesion

    def _normal(self, scan: Reference) -> NDArray[np.float32]:
        """Made once: every draw begins from it."""
        if scan.case not in self._normals:
            lesion = np.zeros(scan.brain.shape, bool) if scan.lesion is None else scan.lesion
            self._normals[scan.case] = pseudo_normal(
                self._networks, scan.image, lesion, scan.brain, dimensions=self._dimensions
            )
        return self._normals[scan.case]
