"""Bring a mask onto a scan's grid by what the two headers say."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from pseudonormal.errors import InputError
from pseudonormal.scan.scan import Geometry, Scan

# Grids whose corners agree within this part of a voxel are one grid (headers hold rounded float32).
_SAME_VOXEL = 0.05
# A mask of this patient may stick out of the scan a little; one of another patient or another scan sticks out far.
_LARGEST_LOSS = 0.05


def same_grid(a: Geometry, b: Geometry) -> bool:
    """Whether two geometries place the same voxels at the same positions."""
    if a.size != b.size:
        return False
    corners = np.array(np.meshgrid(*[(0, n - 1) for n in a.shape])).reshape(3, -1).T
    distance = np.linalg.norm(a.to_ras(corners) - b.to_ras(corners), axis=1).max()
    return bool(distance <= _SAME_VOXEL * min(*a.spacing, *b.spacing))


def place_mask(mask: Scan, scan: Scan) -> tuple[NDArray[np.bool_], tuple[str, ...]]:
    """A lesion mask on the grid of the scan.

    On the scan's own grid it is taken as it is, on a cut-out of that grid (as 3D Slicer saves segmentations) it is
    put back in its place. On another grid it is resampled by nearest neighbour in patient space.

    :param mask: any value above 0 is lesion.
    :returns: (D, H, W) mask of the scan's shape, and warnings (a resampled mask).
    :raises InputError: when it is empty, or when the headers do not place it over the scan.
    """
    lesion = mask.array > 0
    if not lesion.any():
        raise InputError(f"{mask.source}: the mask is empty (no voxel above 0); give a mask that marks the lesion")
    if lesion.all():
        raise InputError(f"{mask.source}: the mask marks every voxel; give a mask that is 0 outside the lesion")
    if same_grid(mask.geometry, scan.geometry):
        return lesion, ()
    sizes = f"{_times(mask.geometry)} against the scan's {_times(scan.geometry)}"
    to_scan = np.linalg.inv(scan.geometry.affine_ras()) @ mask.geometry.affine_ras()
    lattice = _on_lattice(to_scan, mask.geometry)
    if _unplaced(mask.geometry) or (_unplaced(scan.geometry) and not lattice):
        raise InputError(
            f"{mask.source}: the mask is on another grid ({sizes}) and the headers do not say how the two fit; "
            f"save the mask on the grid of {scan.source.name}"
        )
    inside = _share_inside(lesion, to_scan, scan.geometry)
    if inside < 1 - _LARGEST_LOSS:
        where = "nowhere overlaps" if inside == 0 else f"lies to {1 - inside:.0%} outside"
        raise InputError(
            f"{mask.source}: the mask ({sizes}) {where} the scan {scan.source.name}; is it another patient's? "
            "Give the mask of this scan"
        )
    placed = _nearest(lesion, to_scan, scan.geometry.shape)
    before = lesion.sum() * mask.geometry.voxel_ml
    after = placed.sum() * scan.geometry.voxel_ml
    if after == 0:
        raise InputError(f"{mask.source}: nothing of the mask is left on the scan's grid; draw it on the scan itself")
    if lattice:
        return placed, ()
    warning = f"{mask.source}: the mask is on another grid ({sizes}); it was resampled ({before:.2f} to {after:.2f} ml)"
    return placed, (warning,)


def _unplaced(geometry: Geometry) -> bool:
    """Whether a header holds only defaults: axes along the patient's (LPS or RAS), origin 0."""
    direction = np.reshape(geometry.direction, (3, 3))
    default = any(np.allclose(direction, np.diag(signs), atol=1e-4) for signs in ((1, 1, 1), (-1, -1, 1)))
    return default and bool(np.allclose(geometry.origin, 0, atol=1e-4))


def _on_lattice(to_scan: NDArray[np.float64], mask: Geometry) -> bool:
    """Whether the mask's voxels coincide with voxels of the (continued) scan grid, axis by axis."""
    exact = np.eye(4)
    exact[:3, 3] = np.rint(to_scan[:3, 3])
    corners = np.array(np.meshgrid(*[(0, n - 1) for n in mask.size], [1])).reshape(4, -1)
    return bool(np.abs((to_scan - exact) @ corners).max() <= _SAME_VOXEL)


def _share_inside(lesion: NDArray[np.bool_], to_scan: NDArray[np.float64], scan: Geometry) -> float:
    """Part of the lesion's volume that lies within the scan's field of view."""
    xyz = np.argwhere(lesion)[:, ::-1].astype(np.float32)
    index = xyz @ to_scan[:3, :3].T.astype(np.float32) + to_scan[:3, 3].astype(np.float32)
    inside = np.all((index >= -0.5 - _SAME_VOXEL) & (index <= np.array(scan.size) - 0.5 + _SAME_VOXEL), axis=1)
    return float(inside.mean())


def _nearest(lesion: NDArray[np.bool_], to_scan: NDArray[np.float64], shape: tuple[int, int, int]) -> NDArray[np.bool_]:
    """Nearest-neighbour resampling, done only in the box that holds the lesion."""
    boxes = ndimage.find_objects(lesion.astype(np.uint8))[0]
    ends = np.array(np.meshgrid(*[(b.start - 1, b.stop) for b in boxes[::-1]], [1])).reshape(4, -1)
    corners = (to_scan @ ends)[2::-1]
    start = np.clip(np.floor(corners.min(axis=1)).astype(int), 0, shape)
    stop = np.clip(np.ceil(corners.max(axis=1)).astype(int) + 1, 0, shape)
    placed = np.zeros(shape, bool)
    if np.any(stop <= start):
        return placed
    from_scan = np.linalg.inv(to_scan)
    matrix, offset = from_scan[2::-1, 2::-1], from_scan[2::-1, 3]
    box = ndimage.affine_transform(
        lesion.astype(np.uint8),
        matrix,
        offset + matrix @ start,
        output_shape=tuple(stop - start),
        order=0,
        mode="grid-constant",
        prefilter=False,
    )
    placed[tuple(slice(a, b) for a, b in zip(start, stop, strict=True))] = box > 0
    return placed


def _times(geometry: Geometry) -> str:
    return "x".join(str(n) for n in geometry.size)
