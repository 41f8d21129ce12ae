"""Volumes on their way into the store: read from any format, written with a header that cannot name anyone."""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pseudonormal.errors import InputError
from pseudonormal.scan.itk import read_meta, read_nrrd
from pseudonormal.scan.nifti import header_like, read_nifti
from pseudonormal.scan.placing import place_mask, same_grid
from pseudonormal.scan.reading import read_scan
from pseudonormal.scan.scan import Geometry, Scan, Storage
from pseudonormal.scan.synthetic import MARK, is_marked
from pseudonormal.scan.writing import write_like

# What places voxels in space, and numbers in their scale. All else in a header is left behind: free text, dates,
# and fields that programs use as they like.
_GRID_FIELDS = (
    "qform_code",
    "sform_code",
    "quatern_b",
    "quatern_c",
    "quatern_d",
    "qoffset_x",
    "qoffset_y",
    "qoffset_z",
    "srow_x",
    "srow_y",
    "srow_z",
    "xyzt_units",
    "scl_slope",
    "scl_inter",
)
CHOOSE_VOLUME = "choose one with --volume N"
"""How a 4D file is refused; those who have no such option say something else instead."""
_LENGTHS = {b"\x5c\x01\0\0": 348, b"\0\0\x01\x5c": 348, b"\x1c\x02\0\0": 540, b"\0\0\x02\x1c": 540}


def read_image(path: Path, volume: int | None = None) -> Scan:
    """Read a scan of any format for the store.

    :param volume: which volume of a 4D file, counted from 0.
    :raises InputError: as ``read_scan``.
    """
    return _nameless(read_scan(path, volume))


def read_derived(path: Path, grid: Geometry) -> Scan:
    """Read a volume that was computed from a scan; it may be constant (a difference where nothing differs).

    :param grid: the scan's, LPS mm.
    :raises InputError: it is damaged, not finite or on another grid.
    """
    volume = _read(path)
    if volume.array.dtype.kind == "f" and not np.all(np.isfinite(volume.array)):
        raise InputError(f"{path}: the volume holds NaN or infinite voxels; compute it again")
    if not same_grid(volume.geometry, grid):
        raise InputError(f"{path}: is not on the scan's grid; give volumes on the grid of the scan")
    return volume


def read_mask_on(path: Path, grid: Geometry, scan: str) -> NDArray[np.bool_]:
    """Read a mask on a scan's grid, or on a cut-out of it as 3D Slicer saves segmentations.

    :param grid: the scan's, LPS mm.
    :param scan: name of the scan, for messages ("lies outside the scan NAME").
    :returns: (D, H, W); any value above 0 is lesion. May be empty: a reader may find nothing.
    :raises InputError: it is damaged, marks every voxel or is on another grid.
    """
    mask = _read(path)
    if mask.array.dtype.kind == "f" and not np.all(np.isfinite(mask.array)):
        raise InputError(f"{path}: the mask holds NaN or infinite voxels; replace them by 0 first")
    if not np.any(mask.array > 0):
        if not same_grid(mask.geometry, grid):
            raise _other_grid(path, mask.geometry, grid)
        return np.zeros(grid.shape, bool)
    nothing = np.broadcast_to(np.uint8(0), grid.shape)
    placed, resampled = place_mask(mask, Scan(nothing, grid, Path(scan), Storage(nothing.dtype)))
    if resampled:
        raise _other_grid(path, mask.geometry, grid)
    return placed


def _nameless(scan: Scan) -> Scan:
    """The same scan with a header that holds its grid and scale, that it is synthetic, and nothing else.

    Voxels, their type on disk, scaling, and the transforms of a NIfTI header stay bit for bit.
    """
    if scan.storage.header is None:
        return scan
    source = header_like(scan.storage, scan.geometry)
    fresh = type(source)(endianness=source.endianness)
    for field in _GRID_FIELDS:
        fresh[field] = source[field]
    fresh["pixdim"][:4] = source["pixdim"][:4]
    if is_marked(scan):
        fresh["descrip"] = MARK.encode()
    return replace(scan, storage=replace(scan.storage, header=fresh.binaryblock))


def write_volume(scan: Scan, path: Path) -> None:
    """Write a volume for the store (.nii.gz).

    :raises InputError: the folder cannot be written or the disk is full.
    """
    write_like(scan, scan.array, path)


def on_grid_of(image: Path, geometry: Geometry, array: NDArray, storage: Storage | None = None) -> Scan:
    """An array as a volume that has, to the last bit, the transforms of a stored image.

    :param image: .nii.gz of the store.
    :param geometry: the image's.
    :param array: (D, H, W); booleans become uint8.
    :param storage: how the numbers stand on disk; as the array's own type when not given.
    """
    stored = array.astype(np.uint8) if array.dtype == np.bool_ else array
    with gzip.open(image) as stream:
        start = stream.read(4)
        header = start + stream.read(_LENGTHS[start] - 4)
    return Scan(stored, geometry, image, replace(storage or Storage(stored.dtype), header=header))


def _read(path: Path) -> Scan:
    """The volume of a file, whatever its values."""
    try:
        return _read_any(path)
    except InputError as error:
        if CHOOSE_VOLUME not in str(error):
            raise
        raise InputError(str(error).replace(CHOOSE_VOLUME, "save one of them as a file of its own")) from error


def _read_any(path: Path) -> Scan:
    name = path.name.lower()
    try:
        if name.endswith((".nii", ".nii.gz")):
            return read_nifti(path, None)
        if name.endswith((".nrrd", ".nhdr")):
            return read_nrrd(path, None, name.endswith(".seg.nrrd"))
        if name.endswith((".mha", ".mhd")):
            return read_meta(path, None)
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror or error}); check the path and the rights"
        ) from error
    raise InputError(f"{path}: unknown kind of file; give .nii, .nii.gz, .nrrd, .nhdr, .mha or .mhd")


def _other_grid(path: Path, mask: Geometry, grid: Geometry) -> InputError:
    sizes = ["x".join(str(n) for n in geometry.size) for geometry in (mask, grid)]
    return InputError(
        f"{path}: the mask is not on the scan's grid ({sizes[0]} voxels against {sizes[1]}); "
        "save it on the grid of the scan"
    )
