"""Boxes of heads with all that is known of them: cut from a scan, or painted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from pseudonormal.fills.symmetry import SymmetryPlane, symmetry_plane
from pseudonormal.intensity import robust_z_scale
from pseudonormal.painting.contrast import draw_contrast
from pseudonormal.painting.render import render
from pseudonormal.painting.tissues import is_intracranial
from pseudonormal.recipes.smile.material import SmileMaterial
from pseudonormal.regions import Box
from pseudonormal.training.crops import Crop, box_around, cut, padded, posed
from pseudonormal.training.references import Reference

FAVOURED, FAVOURED_SHARE = "flair", 0.35  # what people look for lesions on
LEAST_BRAIN = 500  # voxels from which a brain has a scale of its own


@dataclass(frozen=True)
class Scene:
    """A box of a head; all arrays of one shape (D, H, W), D = 1 for an axial slice.

    :param crop: image (scaled intensities), brain, doubtful voxels, mirror.
    :param label: drawn lesions.
    :param known: float32, how far the label is to be trusted; 0 where nothing was drawn.
    :param trust: float32, 0 where a reviewer said not to learn anything.
    :param scale: median and robust standard deviation of the whole brain, in scaled intensities.
    :param contrast: a key of ``SEQUENCES``, "random" or empty.
    """

    crop: Crop
    label: NDArray[np.bool_]
    known: NDArray[np.float32]
    trust: NDArray[np.float32]
    scale: tuple[float, float]
    contrast: str

    def at(self, box: Box) -> Scene:
        """A part of it."""
        crop = Crop(
            self.crop.image[box],
            self.crop.brain[box],
            self.crop.doubtful[box],
            self.crop.mirror[box],
            self.crop.mirrored[box],
        )
        return Scene(crop, self.label[box], self.known[box], self.trust[box], self.scale, self.contrast)


class Scenes:
    """Cuts and paints scenes; planes of symmetry are looked for once, when a scan is first used."""

    def __init__(self, material: SmileMaterial) -> None:
        """Take the scans and heads."""
        self._material = material
        self._planes: dict[str, SymmetryPlane] = {}
        self._scales: dict[str, tuple[float, float]] = {}

    def cut(self, scan: Reference, centre: Sequence[int], edges: tuple[int, int, int]) -> Scene:
        """A box of a scan around a voxel (z, y, x), inside the scan where that is large enough."""
        if scan.case not in self._planes:
            self._planes[scan.case] = symmetry_plane(scan.image, scan.brain, scan.doubtful)
            self._scales[scan.case] = robust_z_scale(scan.image, scan.brain)
        box = box_around(centre, edges, scan.image.shape)
        trust = np.ones(edges, np.float32) if scan.weight is None else padded(scan.weight[box], edges)
        label = np.zeros(edges, bool) if scan.lesion is None else padded(scan.lesion[box], edges)
        return Scene(
            cut(scan, self._planes[scan.case], centre, edges),
            label,
            np.zeros(edges, np.float32) if scan.lesion is None else trust,
            trust,
            self._scales[scan.case],
            scan.contrast,
        )

    def painted(self, edges: tuple[int, int, int], rng: Generator) -> Scene:
        """A box of a head of random anatomy, pose and contrast, without lesions."""
        index = int(rng.integers(len(self._material.anatomies)))
        anatomy = self._material.anatomies[index]
        parts = (anatomy.groups, anatomy.brain, self._material.mirrored[index])
        groups, inside, mirrored = posed(parts, anatomy.brain, edges, rng)
        contrast = draw_contrast(rng, FAVOURED if rng.random() < FAVOURED_SHARE else None)
        state = rng.integers(2**31)
        # the same random numbers for both sides: one bias field, one resolution, as in one scan
        image = render(groups, contrast, np.random.default_rng(state))
        mirror = render(mirrored, contrast, np.random.default_rng(state))
        brain, everywhere = inside > 0, np.ones(edges, np.float32)
        nothing = np.zeros(edges, bool)
        crop = Crop(image, brain, nothing, mirror, is_intracranial(mirrored))
        scale = robust_z_scale(image, brain) if brain.sum() > LEAST_BRAIN else (0.0, 1.0)
        return Scene(crop, nothing, everywhere, everywhere, scale, contrast.name)
