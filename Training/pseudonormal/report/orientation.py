"""Look at a scan along the patient's axes without interpolating."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from pseudonormal.scan.scan import Geometry


@dataclass(frozen=True)
class ClosestRas:
    """The axis order and flips that bring an array closest to (inferior-superior, posterior-anterior, left-right).

    :param order: for each new axis, the array axis it comes from.
    :param flips: for each new axis, whether it runs backwards.
    :param spacing: voxel edges in mm along the new axes.
    :param tilt_degrees: the largest angle between a new axis and the patient axis it stands for.
    """

    order: tuple[int, int, int]
    flips: tuple[bool, bool, bool]
    spacing: tuple[float, float, float]
    tilt_degrees: float

    @classmethod
    def of(cls, geometry: Geometry) -> ClosestRas:
        """The one axis assignment with the largest summed alignment with the RAS axes."""
        axes = geometry.affine_ras()[:3, :3] / np.asarray(geometry.spacing)
        patient, voxel = linear_sum_assignment(-np.abs(axes))
        voxel_of = {int(row): int(column) for row, column in zip(patient, voxel, strict=True)}
        superior, anterior, right = voxel_of[2], voxel_of[1], voxel_of[0]
        cosines = [float(axes[row, voxel_of[row]]) for row in (2, 1, 0)]
        tilt = np.degrees(np.arccos(np.clip(np.abs(cosines), 0.0, 1.0)).max())
        return cls(
            order=(2 - superior, 2 - anterior, 2 - right),
            flips=(cosines[0] < 0, cosines[1] < 0, cosines[2] < 0),
            spacing=(geometry.spacing[superior], geometry.spacing[anterior], geometry.spacing[right]),
            tilt_degrees=float(tilt),
        )

    def apply(self, array: NDArray) -> NDArray:
        """A view of a (D, H, W) array on the scan's grid with the new axis order."""
        steps = tuple(slice(None, None, -1 if flip else 1) for flip in self.flips)
        return array.transpose(self.order)[steps]

    def index(self, zyx: tuple[int, int, int], shape: tuple[int, ...]) -> tuple[int, int, int]:
        """Where a voxel of the array lies in the view.

        :param zyx: array index.
        :param shape: shape of the array (not of the view).
        """
        s, a, r = (
            shape[axis] - 1 - zyx[axis] if flip else zyx[axis]
            for axis, flip in zip(self.order, self.flips, strict=True)
        )
        return s, a, r
