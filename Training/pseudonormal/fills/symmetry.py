"""Find the plane about which a head is most nearly its own mirror image, and reflect through it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy import ndimage, optimize

from pseudonormal.intensity import MAD_TO_SIGMA
from pseudonormal.regions import Box, bounding_box

FINE_MM, COARSE_MM = 2, 4
FINE_POINTS, COARSE_POINTS = 30_000, 6_000
START_DEGREES = (-14.0, -7.0, 0.0, 7.0, 14.0)
START_OFFSETS_MM = (-8.0, -4.0, 0.0, 4.0, 8.0)
MOST_DEGREES = 30.0
TRIED_STARTS = 3
# In robust standard deviations of normal tissue: how different two values may be and still count as alike (a
# lesion that nobody masked is then a mismatch and no more), and what stands for the outside of the head.
ALIKE = 0.7
MOST_Z = 3.0
BACKGROUND_Z = -6.0
LEAST_GAIN = 1e-4
LEAST_VOXELS = 200


@dataclass(frozen=True)
class SymmetryPlane:
    """The mid-sagittal plane of a scan on the model grid (RAS axes, 1 mm).

    The plane's unit normal is ``(x, y, z) = (cos yaw cos roll, sin yaw cos roll, sin roll)`` in RAS, so that a
    head that sits straight has yaw 0 (turned about the vertical axis) and roll 0 (tilted to a shoulder).

    :param yaw_degrees: see above.
    :param roll_degrees: see above.
    :param offset_mm: signed distance along the normal from the grid's centre to the plane.
    :param shape: (D, H, W) of the grid.
    """

    yaw_degrees: float
    roll_degrees: float
    offset_mm: float
    shape: tuple[int, int, int]

    @property
    def normal(self) -> NDArray[np.float64]:
        """(3,) unit normal in array order (z, y, x)."""
        return _normal(self.yaw_degrees, self.roll_degrees)

    def mirror_points(self, points: NDArray) -> NDArray[np.float64]:
        """Mirror positions of array positions.

        :param points: (N, 3) in ``[z, y, x]`` order, may be fractional.
        :returns: (N, 3) in the same order, possibly outside the grid.
        """
        centre = (np.asarray(self.shape) - 1) / 2
        distance = (np.asarray(points, np.float64) - centre) @ self.normal - self.offset_mm
        return np.asarray(points, np.float64) - 2 * distance[:, None] * self.normal

    def reflect(self, image: NDArray, box: Box | None = None, outside: float = 0.0) -> NDArray[np.float32]:
        """The image seen in the mirror: the result at v is the image at v's mirror position (linear interpolation).

        :param image: (D, H, W) of the plane's grid.
        :param box: compute only this part of the result; None for all of it.
        :param outside: value where the mirror position lies outside the grid.
        :returns: float32 of the box's shape, (D, H, W) without a box.
        """
        box = box or (slice(0, self.shape[0]), slice(0, self.shape[1]), slice(0, self.shape[2]))
        size = [axis.stop - axis.start for axis in box]
        # Only the part that the box sees in the mirror is handed on; one voxel more for the interpolation.
        corners = self.mirror_points(np.array(list(product(*((axis.start, axis.stop - 1) for axis in box)))))
        first = np.maximum(np.floor(corners.min(axis=0)).astype(int) - 1, 0)
        last = np.minimum(np.ceil(corners.max(axis=0)).astype(int) + 2, self.shape)
        if (first >= last).any():
            return np.full(size, outside, np.float32)
        seen = image[first[0] : last[0], first[1] : last[1], first[2] : last[2]]
        source = sitk.GetImageFromArray(np.ascontiguousarray(seen, np.float32))
        source.SetOrigin(first[::-1].astype(float).tolist())
        target = sitk.Image(size[::-1], sitk.sitkUInt8)
        target.SetOrigin([float(axis.start) for axis in box[::-1]])

        normal = self.normal[::-1]
        centre = (np.asarray(self.shape[::-1], np.float64) - 1) / 2
        mirror = sitk.AffineTransform(3)
        mirror.SetMatrix((np.eye(3) - 2 * np.outer(normal, normal)).ravel().tolist())
        mirror.SetTranslation((2 * (normal @ centre + self.offset_mm) * normal).tolist())
        reflected = sitk.Resample(source, target, mirror, sitk.sitkLinear, outside, sitk.sitkFloat32)
        return sitk.GetArrayFromImage(reflected)

    def reflect_mask(
        self, mask: NDArray[np.bool_], box: Box | None = None, threshold: float = 0.5
    ) -> NDArray[np.bool_]:
        """The mask seen in the mirror; False where the mirror position lies outside the grid.

        :param mask: (D, H, W) of the plane's grid.
        :param box: compute only this part; None for all of it.
        :param threshold: share of the mirror position's neighbours that must be exceeded; near 1 keeps only
            positions that lie wholly inside the mask.
        """
        return self.reflect(mask, box) > threshold


def symmetry_plane(
    image: NDArray[np.float32], foreground: NDArray[np.bool_], lesion: NDArray[np.bool_] | None = None
) -> SymmetryPlane:
    """Find the plane that makes the two halves most alike.

    Likeness is the mean of ``exp(-d^2 / 2 s^2)`` over normal tissue, d the difference to the mirror position in
    robust standard deviations: tissue that meets background counts 0, tissue that meets a lesion or the end of the
    field of view does not count. A grid search at 4 mm finds the start, Nelder-Mead refines it at 4 mm and 2 mm.
    Deterministic.

    :param image: (D, H, W) on the model grid (RAS axes, 1 mm), any unit.
    :param foreground: (D, H, W) the brain.
    :param lesion: (D, H, W) voxels that need not be symmetric.
    :returns: the plane; the upright one through the foreground's centre of mass where the search finds none better,
        or through the grid's centre where there is too little foreground.
    """
    shape = (image.shape[0], image.shape[1], image.shape[2])
    box = bounding_box(foreground)
    if box is None:
        return SymmetryPlane(0.0, 0.0, 0.0, shape)
    inside = foreground[box]
    normal = inside if lesion is None else inside & ~lesion[box]
    origin = np.array([axis.start for axis in box], np.float64)
    centre = (np.asarray(shape) - 1) / 2
    mass_x = float(np.average(np.arange(inside.shape[2]), weights=inside.sum(axis=(0, 1))))
    upright = SymmetryPlane(0.0, 0.0, mass_x + origin[2] - centre[2], shape)
    if min(inside.shape) < 2 * COARSE_MM or np.count_nonzero(normal) < LEAST_VOXELS * COARSE_MM**3:
        return upright

    sums = _Sums.of(image[box], normal, inside)
    touches = tuple((axis.start == 0, axis.stop == size) for axis, size in zip(box, shape, strict=True))
    fine = _Level.of(sums.blocks(FINE_MM), FINE_MM, origin, touches, FINE_POINTS)
    coarse = _Level.of(sums.blocks(COARSE_MM), COARSE_MM, origin, touches, COARSE_POINTS)
    pivot = fine.pivot  # turning about the centre of mass keeps the three parameters apart

    def loss(params: NDArray, level: _Level) -> float:
        normal_zyx = _normal(params[0], params[1])
        return -level.score(normal_zyx, float(normal_zyx @ pivot + params[2]))

    starts = [
        np.array([yaw, roll, offset]) for yaw in START_DEGREES for roll in START_DEGREES for offset in START_OFFSETS_MM
    ]
    starts = sorted(starts, key=lambda params: loss(params, coarse))[:TRIED_STARTS]
    tried = [_refine(loss, params, coarse, (3.0, 3.0, 2.0), 0.1) for params in starts]
    best = _refine(loss, min(tried, key=lambda params: loss(params, fine)), fine, (0.8, 0.8, 0.6), 0.03)
    at_upright = np.array([0.0, 0.0, upright.offset_mm + centre[2] - pivot[2]])
    if loss(best, fine) > loss(at_upright, fine) - LEAST_GAIN:
        return upright
    distance = float(_normal(best[0], best[1]) @ (pivot - centre) + best[2])
    return SymmetryPlane(float(best[0]), float(best[1]), distance, shape)


def _refine(
    loss: Callable[[NDArray, _Level], float],
    start: NDArray,
    level: _Level,
    steps: tuple[float, float, float],
    tolerance: float,
) -> NDArray[np.float64]:
    result = optimize.minimize(
        loss,
        start,
        args=(level,),
        method="Nelder-Mead",
        bounds=[(-MOST_DEGREES, MOST_DEGREES), (-MOST_DEGREES, MOST_DEGREES), (None, None)],
        options={
            "initial_simplex": np.vstack([start, start + np.diag(steps)]),
            "xatol": tolerance,
            "fatol": 1e-5,
            "maxiter": 120,
        },
    )
    return result.x


def _normal(yaw_degrees: float, roll_degrees: float) -> NDArray[np.float64]:
    yaw, roll = np.radians([yaw_degrees, roll_degrees])
    return np.array([np.sin(roll), np.sin(yaw) * np.cos(roll), np.cos(yaw) * np.cos(roll)])


@dataclass(frozen=True)
class _Sums:
    """Block sums: robust z over normal tissue, count of normal tissue, count of foreground."""

    z: NDArray[np.float32]
    normal: NDArray
    foreground: NDArray

    @classmethod
    def of(cls, image: NDArray, normal: NDArray[np.bool_], foreground: NDArray[np.bool_]) -> _Sums:
        values = image[normal]
        values = values[:: max(values.size // 50_000, 1)].astype(np.float32)
        median = np.median(values)
        sigma = MAD_TO_SIGMA * np.median(np.abs(values - median)) or values.std() or np.float32(1.0)
        z = (image.astype(np.float32) - median) / sigma
        np.clip(z, -MOST_Z, MOST_Z, out=z)
        z *= normal
        return cls(z, normal, foreground)

    def blocks(self, factor: int) -> _Sums:
        return _Sums(*(_block_sum(array, factor) for array in (self.z, self.normal, self.foreground)))


def _block_sum(array: NDArray, factor: int) -> NDArray[np.float32]:
    d, h, w = (size // factor for size in array.shape)
    cut = array[: d * factor, : h * factor, : w * factor]
    # Slices before rows: adding long contiguous runs is several times as fast as one sum over three axes.
    kind = np.float32 if array.dtype.kind == "f" else np.uint8
    planes = np.add.reduce([cut[k::factor] for k in range(factor)], dtype=kind)
    rows = np.add.reduce([planes[:, k::factor] for k in range(factor)], dtype=kind)
    return np.add.reduce([rows[:, :, k::factor] for k in range(factor)], dtype=np.float32)


@dataclass(frozen=True)
class _Level:
    """One resolution of the search: what is compared and where."""

    z: NDArray[np.float32]  # NaN where unknown (lesion, beyond the field of view), BACKGROUND_Z outside the head
    points: NDArray[np.float64]  # (N, 3) positions of normal tissue in this level's voxels
    values: NDArray[np.float32]  # (N,) z there
    voxel_mm: int
    origin: NDArray[np.float64]  # array position of this level's voxel 0

    @classmethod
    def of(
        cls,
        sums: _Sums,
        voxel_mm: int,
        start: NDArray[np.float64],
        touches: tuple[tuple[bool, bool], ...],
        most_points: int,
    ) -> _Level:
        # A little smoothing widens the basin that the search falls into and quiets noise.
        above, below = (ndimage.gaussian_filter(a, 0.7, mode="constant") for a in (sums.z, sums.normal))
        known = sums.normal >= 0.5 * voxel_mm**3
        z = np.where(known, above / np.maximum(below, 1e-6), np.float32(np.nan))
        z[sums.foreground < 0.5 * voxel_mm**3] = BACKGROUND_Z
        # One layer around: beyond the field of view nothing is known, beyond the head there is background.
        beyond = tuple(tuple(np.nan if cut else BACKGROUND_Z for cut in sides) for sides in touches)
        z = np.pad(z, 1, constant_values=beyond)
        tissue = np.argwhere(np.pad(known, 1))
        points = tissue[:: max(len(tissue) // most_points, 1)].astype(np.float64)
        # Off the lattice, so that interpolation blurs both sides alike and whole-voxel mirrors are not preferred.
        points += np.random.default_rng(0).uniform(-0.5, 0.5, points.shape)
        origin = start + (voxel_mm - 1) / 2 - voxel_mm
        return cls(z, points, _sample(z, points.T), voxel_mm, origin)

    @property
    def pivot(self) -> NDArray[np.float64]:
        """Centre of mass in array positions."""
        return self.origin + self.voxel_mm * self.points.mean(axis=0)

    def score(self, normal: NDArray[np.float64], distance: float) -> float:
        """Mean likeness, 0 to 1, of tissue and its mirror about ``normal . v = distance`` (v an array position)."""
        local = (distance - float(normal @ self.origin)) / self.voxel_mm
        mirrored = self.points.T - 2 * normal[:, None] * (self.points @ normal - local)
        other = _sample(self.z, mirrored)
        likeness = np.exp(-0.5 * ((other - self.values) / ALIKE) ** 2)
        known = likeness[~np.isnan(likeness)]
        # At least half of the points, so that pushing the head out of view never pays.
        return float(known.sum()) / max(float(known.size), likeness.size / 2)


def _sample(z: NDArray[np.float32], positions: NDArray[np.float64]) -> NDArray[np.float32]:
    return ndimage.map_coordinates(z, positions, order=1, mode="nearest")
