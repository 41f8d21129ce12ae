"""From a scan's own grid to the model grid (closest-to-RAS axes, 1 mm) and back, never rotating."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from pseudonormal.regions import connected
from pseudonormal.scan.interpolate import along_axis
from pseudonormal.scan.scan import Geometry, Scan

MODEL_SPACING_MM = 1.0
# A spacing this close to the model's stays as it is: no interpolation, so no blur and an exact way back.
_CLOSE_ENOUGH = 0.02

Interpolation = Literal["linear", "nearest"]


@dataclass(frozen=True)
class Conformed:
    """A scan on the model grid.

    :param image: (D, H, W) = (inferior to superior, posterior to anterior, left to right) float32, in the scan's units.
    :param geometry: the model grid's place in the patient (LPS mm). Spacing is 1 mm, or the scan's own along axes
        where that is within 2 % of it.
    :param native: the scan's own grid.
    :param order: model array axis ``i`` is native array axis ``order[i]``.
    :param flips: whether model array axis ``i`` runs against that native axis.
    """

    image: NDArray[np.float32]
    geometry: Geometry
    native: Geometry
    order: tuple[int, int, int]
    flips: tuple[bool, bool, bool]

    @property
    def exact(self) -> bool:
        """Whether voxels were only reordered: then the way to the model grid and back changes no bit."""
        return not any(self.resampled)

    @property
    def resampled(self) -> tuple[bool, bool, bool]:
        """For each model array axis, whether it was interpolated."""
        native = self.native.spacing[::-1]
        d, h, w = (not _stays(native[axis]) for axis in self.order)
        return d, h, w


def conform(scan: Scan) -> Conformed:
    """Bring a scan to the model grid.

    Axes are permuted and flipped to the closest right-handed match of (S, A, R), then interpolated one by one where
    the spacing differs from 1 mm by more than 2 %. The two grids share their centre and the model grid covers the
    whole field of view; past the outermost voxel centres values continue constant.

    :param scan: any orientation, spacing and number type.
    """
    order, flips = closest_ras(scan.geometry)
    geometry = _model_geometry(scan.geometry, order, flips)
    image = _to_model(scan.array, scan.geometry, geometry, order, flips)
    return Conformed(image, geometry, scan.geometry, order, flips)


def image_to_model(array: NDArray[Any], conformed: Conformed) -> NDArray[np.float32]:
    """Bring another array on the scan's grid to the model grid in the same way.

    :param array: native (D, H, W).
    :returns: (D, H, W) float32 of the model grid.
    """
    return _to_model(array, conformed.native, conformed.geometry, conformed.order, conformed.flips)


def labels_to_model(labels: NDArray[Any], conformed: Conformed) -> NDArray[Any]:
    """Bring a label map on the scan's grid to the model grid: the nearest voxel's label, type kept.

    :param labels: native (D, H, W).
    :returns: (D, H, W) of the model grid.
    """
    moved = _reorder(labels, conformed.order, conformed.flips)
    for axis in range(3):
        if conformed.resampled[axis]:
            pitch = MODEL_SPACING_MM / conformed.native.spacing[::-1][conformed.order[axis]]
            moved = along_axis(moved, axis, conformed.geometry.shape[axis], pitch, "nearest")
    return np.ascontiguousarray(moved)


def mask_to_model(mask: NDArray[np.bool_], conformed: Conformed) -> NDArray[np.bool_]:
    """Bring a mask on the scan's grid to the model grid.

    Interpolated linearly and cut at one half, which keeps the volume (where native voxels are 2, 4, ... mm long, model
    voxels midway between lesion and none count as lesion: half a voxel more at each end). A connected part too small
    to survive that marks the model voxels that hold its voxel centres, so no lesion is ever lost.

    :param mask: native (D, H, W).
    :returns: (D, H, W) mask of the model grid.
    """
    moved = _reorder(mask, conformed.order, conformed.flips)
    if conformed.exact:
        return np.ascontiguousarray(moved)
    model = image_to_model(mask, conformed) >= 0.5
    boxes = ndimage.find_objects(moved.astype(np.uint8))
    if not boxes:
        return model
    box = boxes[0]
    labels, count = connected(moved[box])
    inside = np.nonzero(labels)
    spans = zip(inside, box, moved.shape, model.shape, _pitch(conformed), strict=True)
    index = tuple(
        np.clip(np.rint((i + b.start - (n - 1) / 2) * pitch + (m - 1) / 2).astype(int), 0, m - 1)
        for i, b, n, m, pitch in spans
    )
    which = labels[inside]
    survived = np.zeros(count + 1, bool)
    survived[which[model[index]]] = True
    lost = ~survived[which]
    model[tuple(i[lost] for i in index)] = True
    return model


def to_native(array: NDArray[Any], conformed: Conformed, interpolation: Interpolation = "linear") -> NDArray[Any]:
    """Bring a result on the model grid back to the scan's grid; the exact inverse where nothing was interpolated.

    :param array: (D, H, W) of the model grid.
    :param interpolation: "linear" (result is float32) or "nearest" (type is kept: masks, labels).
    :returns: native (D, H, W).
    """
    if array.shape != conformed.geometry.shape:
        raise ValueError(f"shape {array.shape} is not that of the model grid {conformed.geometry.shape}")
    pitch = _pitch(conformed)
    if interpolation == "linear" and any(conformed.resampled):
        array = array.astype(np.float32, copy=False)
    # The axis that shrinks most goes first: less to do for the others.
    sizes = [conformed.native.shape[axis] for axis in conformed.order]
    for axis in sorted(range(3), key=lambda i: sizes[i] / array.shape[i]):
        if conformed.resampled[axis]:
            array = along_axis(array, axis, sizes[axis], pitch[axis], interpolation, smooth=False)
    flipped = np.flip(array, tuple(axis for axis in range(3) if conformed.flips[axis]))
    return np.ascontiguousarray(flipped.transpose(np.argsort(conformed.order)))


def closest_ras(geometry: Geometry) -> tuple[tuple[int, int, int], tuple[bool, bool, bool]]:
    """The permutation and flips of array axes that come closest to (S, A, R) without mirroring the patient.

    Of the signed permutations with the handedness of the grid, the one with the largest sum of direction cosines is
    taken, so that oblique grids at 45 degrees get a valid answer too.

    :param geometry: LPS.
    :returns: ``order`` and ``flips`` as in :class:`Conformed`.
    """
    # Rows S, A, R; columns the array axes z, y, x.
    cosines = (np.diag([-1.0, -1.0, 1.0]) @ np.reshape(geometry.direction, (3, 3)))[::-1, ::-1]
    handed = np.sign(np.linalg.det(cosines))
    best: tuple[tuple[int, int, int], tuple[bool, bool, bool]] = ((0, 1, 2), (False, False, False))
    best_sum = -np.inf
    for order in itertools.permutations((0, 1, 2)):
        parity = np.linalg.det(np.eye(3)[list(order)])
        for flips in itertools.product((False, True), (False, True), (False, True)):
            signs = np.where(flips, -1.0, 1.0)
            total = float(sum(signs * cosines[(0, 1, 2), order]))
            # A little more is asked of a later candidate, so that rounding does not decide a tie.
            if parity * signs.prod() == handed and total > best_sum + 1e-6:
                best, best_sum = ((order[0], order[1], order[2]), flips), total
    return best


def _to_model(
    array: NDArray[Any], native: Geometry, model: Geometry, order: tuple[int, int, int], flips: tuple[bool, bool, bool]
) -> NDArray[np.float32]:
    moved = _reorder(array, order, flips)
    # The axis that shrinks most goes first: less to do for the others.
    for axis in sorted(range(3), key=lambda i: model.shape[i] / moved.shape[i]):
        spacing = native.spacing[::-1][order[axis]]
        if not _stays(spacing):
            pitch = MODEL_SPACING_MM / spacing
            moved = along_axis(moved.astype(np.float32, copy=False), axis, model.shape[axis], pitch, "linear")
    return np.ascontiguousarray(moved, dtype=np.float32)


def _model_geometry(native: Geometry, order: tuple[int, int, int], flips: tuple[bool, bool, bool]) -> Geometry:
    shape, spacing, first = [], [], []
    for axis, flip in zip(order, flips, strict=True):
        n, s = native.shape[axis], native.spacing[::-1][axis]
        m = n if _stays(s) else _samples(n, s)
        shape.append(m)
        spacing.append(s if _stays(s) else MODEL_SPACING_MM)
        start = (n - 1) / 2 - (m - 1) / 2 * (spacing[-1] / s)
        first.append(n - 1 - start if flip else start)
    origin_zyx = np.empty(3)
    origin_zyx[list(order)] = first
    direction = np.reshape(native.direction, (3, 3))
    columns = [direction[:, 2 - axis] * (-1.0 if flip else 1.0) for axis, flip in zip(order, flips, strict=True)]
    matrix = np.stack(columns[::-1], axis=1) + 0.0
    origin = native.to_ras(origin_zyx[None])[0] * (-1.0, -1.0, 1.0)
    d, h, w = shape
    sz, sy, sx = spacing
    x, y, z = (float(v) for v in origin)
    return Geometry((w, h, d), (sx, sy, sz), (x, y, z), tuple(float(v) for v in matrix.flat))


def _samples(n: int, spacing: float) -> int:
    """How many model voxels cover an axis; one more where that lets them meet the native voxel centres."""
    factor = spacing / MODEL_SPACING_MM
    # A thousandth of a voxel is forgiven to rounded headers.
    m = max(1, int(np.ceil(n * factor - 1e-3)))
    whole = round(factor)
    meets = abs(factor - whole) < 1e-3 and whole > 1
    return m + 1 if meets and ((n - 1) * whole - (m - 1)) % 2 else m


def _pitch(conformed: Conformed) -> list[float]:
    """Native spacing in model voxels, for each model array axis."""
    native, model = conformed.native.spacing[::-1], conformed.geometry.spacing[::-1]
    return [native[axis] / model[i] for i, axis in enumerate(conformed.order)]


def _reorder(array: NDArray[Any], order: tuple[int, int, int], flips: tuple[bool, bool, bool]) -> NDArray[Any]:
    return np.flip(array.transpose(order), tuple(axis for axis in range(3) if flips[axis]))


def _stays(spacing: float) -> bool:
    return abs(spacing - MODEL_SPACING_MM) <= _CLOSE_ENOUGH * MODEL_SPACING_MM
