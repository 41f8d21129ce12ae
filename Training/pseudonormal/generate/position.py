"""Where a finding lies, in plain words, told from the shape of the brain alone (no atlas)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from pseudonormal.scan.scan import Geometry

Side = Literal["left", "right", "midline"]

CROSSES = 0.1
"""A finding with at least this share of its volume on each side lies on the midline."""
BESIDE = 0.15
"""A centre nearer to the midline than this times the brain's radius is "beside the midline" (10 mm in an adult)."""
NEAR_SURFACE = 0.18
"""A centre less deep than this times the brain's radius is "near the surface" (12 mm in an adult)."""
DEEP = 0.45
"""A centre deeper than this times the brain's radius is "deep" (30 mm in an adult)."""
CUT = 0.1
"""The brain is cut when a border plane of the scan holds this share of its largest cross-section."""


@dataclass(frozen=True)
class BrainExtent:
    """The brain's box, middle and surface in RAS mm.

    Sides are the patient's: x grows to the patient's right in RAS. The midline is the plane x = middle of the brain's
    voxels, so in a head that is strongly turned or tilted the words near it are less sure.

    :param low: smallest x, y, z of the brain.
    :param high: largest x, y, z of the brain.
    :param midline: x of the brain's centre of mass.
    :param radius: radius of the ball of the brain's volume, mm.
    :param surface: search tree over the brain's surface voxels; None where the scan shows none.
    :param cut: whether the scan ends inside the brain.
    """

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    midline: float
    radius: float
    surface: cKDTree | None
    cut: bool

    @classmethod
    def of(cls, foreground: NDArray[np.bool_], geometry: Geometry) -> BrainExtent:
        """Measure a brain.

        :param foreground: (D, H, W) the brain, not empty.
        :param geometry: the grid it stands on.
        """
        (box,) = ndimage.find_objects(foreground.view(np.uint8))
        brain = foreground[box]
        start = np.array([axis.start for axis in box])
        outline = np.argwhere(brain & ~ndimage.binary_erosion(brain)) + start
        # Where the scan ends inside the brain there is no surface.
        on_border = (outline == 0) | (outline == np.array(foreground.shape) - 1)
        points = geometry.to_ras(outline)
        surface = points[~on_border.any(axis=1)]
        centre = geometry.to_ras((np.array(ndimage.center_of_mass(brain)) + start)[None])[0]
        volume_mm3 = 1000.0 * geometry.voxel_ml * np.count_nonzero(brain)
        return cls(
            low=points.min(axis=0),
            high=points.max(axis=0),
            midline=float(centre[0]),
            radius=float((3.0 * volume_mm3 / (4.0 * np.pi)) ** (1.0 / 3.0)),
            surface=cKDTree(surface) if len(surface) else None,
            cut=_is_cut(foreground),
        )

    def describe(self, points: NDArray[np.float64]) -> tuple[Side, str]:
        """Side and position of a finding.

        :param points: (N, 3) its voxels in RAS mm.
        :returns: the patient's side, and words such as "left, upper front of the brain, near the surface".
        """
        centre = points.mean(axis=0)
        offsets = points[:, 0] - self.midline
        right = float((offsets > 0).mean() + 0.5 * (offsets == 0).mean())
        side: Side = "midline" if CROSSES <= right <= 1.0 - CROSSES else ("right" if right > 0.5 else "left")
        thirds = 3.0 * (centre - self.low) / np.maximum(self.high - self.low, 1e-6)
        height = "lower " if thirds[2] < 1.0 else ("upper " if thirds[2] > 2.0 else "")
        length = "back" if thirds[1] < 1.0 else ("front" if thirds[1] > 2.0 else "middle")
        words = [
            "across the midline" if side == "midline" else str(side),
            f"{height}{length} of the {'imaged part of the ' if self.cut else ''}brain",
        ]
        depth = np.inf if self.surface is None else float(self.surface.query(centre)[0])
        if depth < NEAR_SURFACE * self.radius:
            words.append("near the surface")
        elif np.isfinite(depth) and depth > DEEP * self.radius:
            words.append("deep")
        if side != "midline" and abs(centre[0] - self.midline) < BESIDE * self.radius:
            words.append("beside the midline")
        return side, ", ".join(words)


def _is_cut(foreground: NDArray[np.bool_]) -> bool:
    for axis in range(3):
        areas = np.count_nonzero(foreground, axis=tuple(other for other in range(3) if other != axis))
        if max(areas[0], areas[-1]) > CUT * areas.max():
            return True
    return False
