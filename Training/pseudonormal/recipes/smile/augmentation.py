"""Other lesions in the same heads: a scan made pseudo-normal, then painted on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import ndimage
from torch import nn

from pseudonormal.lesions.shapes import ShapeSource
from pseudonormal.lesions.source import LesionSource
from pseudonormal.networks.precision import fast_precision
from pseudonormal.networks.unet import whole_edge
from pseudonormal.recipes.smile.guesses import AWAY, CALM
from pseudonormal.recipes.smile.painting import painter_noise
from pseudonormal.recipes.smile.predicting import probability, pseudo_normal
from pseudonormal.training.references import Reference

LESIONS = (1, 4)
SUSPECTED = 0.3  # probability from which a voxel of a scan that nobody has drawn in is restored
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
        with torch.inference_mode(), fast_precision(device):
            painted = self._painter(*(tensor[:, None] if flat else tensor[None, None] for tensor in tensors))
        whole = painted.float().cpu().numpy()
        return np.asarray(whole[:, 0] if flat else whole[0, 0])


class Augmentation:
    """Draws training pairs from scans and the networks of a run: each without its own lesions and with others.

    A scan that nobody has drawn in is as good as another: what the segmentor may take for lesion is restored, and so
    its anatomy teaches too.
    """

    def __init__(
        self,
        networks: Mapping[str, nn.Module],
        scans: Sequence[Reference],
        shapes: Sequence[ShapeSource],
        *,
        dimensions: int,
        voxel_ml: float = 1e-3,
    ) -> None:
        """Take trained networks and what to make scans from.

        :param networks: "lesion", "restore" and "painter".
        :param scans: on one grid; drawn in or not.
        :param shapes: of the lesions to paint.
        :param voxel_ml: volume of a voxel.
        """
        self._networks, self._scans, self._dimensions = networks, list(scans), dimensions
        self._source = LesionSource(shapes, {"painter": PainterFamily(networks["painter"], dimensions)})
        # the source takes every voxel for 1 mm³
        self._volume_ml = VOLUME_ML[0] * 1e-3 / voxel_ml, VOLUME_ML[1] * 1e-3 / voxel_ml
        self._normals: dict[str, Reference] = {}

    def __call__(self, rng: Generator) -> Reference:
        """A scan with painted lesions, which are known; nothing is painted where nothing is trusted."""
        scan = self._normal(self._scans[int(rng.integers(len(self._scans)))])
        image, lesion = scan.image, np.zeros(scan.brain.shape, bool)
        allowed = scan.brain if scan.weight is None else scan.brain & (scan.weight > 0)
        for _ in range(int(rng.integers(*LESIONS, endpoint=True))):
            painted = self._source.sample(image, allowed & ~lesion, rng, family="painter", volume_ml=self._volume_ml)
            if painted is not None:
                image = painted.image
                lesion |= painted.opacity > 0.5
        return replace(scan, image=image, lesion=lesion)

    def _normal(self, scan: Reference) -> Reference:
        """Made once: every draw begins from it."""
        if scan.case not in self._normals:
            lesion, weight = scan.lesion, scan.weight
            if lesion is None:
                lesion, weight = self._suspected(scan)
            image = pseudo_normal(self._networks, scan.image, lesion, scan.brain, dimensions=self._dimensions)
            self._normals[scan.case] = replace(scan, image=image, lesion=np.zeros_like(lesion), weight=weight)
        return self._normals[scan.case]

    def _suspected(self, scan: Reference) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
        """What the segmentor may take for lesion, and how far the scan is trusted without it."""
        found = probability(self._networks, scan.image, scan.brain, dimensions=self._dimensions)
        lesion = ndimage.binary_dilation(found >= SUSPECTED) & scan.brain
        doubtful = ndimage.binary_dilation(found >= CALM, iterations=AWAY) & ~lesion
        trusted = np.ones(found.shape, np.float32) if scan.weight is None else scan.weight
        return lesion, np.where(doubtful, 0, trusted).astype(np.float32)
