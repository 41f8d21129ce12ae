"""NIfTI-1 and NIfTI-2, read from the raw header: nothing is silently repaired and stored numbers stay exact."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from nibabel.nifti1 import Nifti1Header
from nibabel.nifti2 import Nifti2Header
from numpy.typing import NDArray

from pseudonormal.errors import InputError
from pseudonormal.scan import checks
from pseudonormal.scan.coding import decoded
from pseudonormal.scan.scan import Geometry, Scan, Storage

_TYPES = {2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8"}
_COLOUR, _COMPLEX = (128, 2304), (32, 1792, 2048)
_LPS_FROM_RAS = np.diag([-1.0, -1.0, 1.0])


def read_nifti(path: Path, volume: int | None) -> Scan:
    """Read one volume of a .nii or .nii.gz file.

    :param volume: which volume of a 4D file, counted from 0.
    :raises InputError: when the file is not a whole, sound NIfTI file with scalar voxels.
    """
    content = _content(path)
    header = _header(path, content)
    code = int(header["datatype"])
    if code in _COLOUR:
        raise InputError(f"{path}: voxels are RGB colours; give the scan itself with one number per voxel")
    if code in _COMPLEX:
        raise InputError(f"{path}: voxels are complex numbers; give the magnitude image")
    if code not in _TYPES:
        raise InputError(f"{path}: voxel type {code} is not supported; convert the scan to int16 or float32")
    stored_type = np.dtype(_TYPES[code])
    size, count = _size(path, header)
    chosen = checks.choose_volume(path, count, volume)
    geometry = _geometry(path, header, size)
    offset, voxels = int(header["vox_offset"]), int(np.prod(size))
    expected = offset + voxels * count * stored_type.itemsize
    if offset < len(header.binaryblock) or len(content) < expected:
        raise InputError(
            f"{path}: the file is truncated ({len(content)} of {expected} bytes); copy or export the scan again"
        )
    start = offset + chosen * voxels * stored_type.itemsize
    numbers = np.frombuffer(content, stored_type.newbyteorder(header.endianness), voxels, start)
    stored = numbers.reshape(geometry.shape).astype(stored_type)
    slope, intercept = float(header["scl_slope"]), float(header["scl_inter"])
    if slope == 0 or not np.isfinite(slope):
        slope, intercept = 1.0, 0.0
    storage = Storage(stored_type, slope, intercept if np.isfinite(intercept) else 0.0, header.binaryblock)
    array, storage = decoded(stored, storage)
    return Scan(array, geometry, path, storage)


def header_like(storage: Storage, geometry: Geometry) -> Nifti1Header | Nifti2Header:
    """The header a scan came with (transforms, scaling, byte order), made that of one 3D volume.

    :raises ValueError: when the storage holds no NIfTI header.
    """
    if storage.header is None:
        raise ValueError("this scan was not read from a NIfTI file")
    header = _parsed(storage.header)
    header["dim"] = [3, *geometry.size, 1, 1, 1, 1]
    _finish(header, storage)
    return header


def header_for(geometry: Geometry, dtype: np.dtype, description: str = "") -> Nifti1Header:
    """A new header in mm with equal qform and sform (scanner coordinates).

    :param geometry: LPS geometry of the image.
    :param dtype: type of the voxels on disk.
    :param description: at most 79 characters that viewers show with the image.
    """
    header = Nifti1Header()
    header["descrip"] = description.encode()
    header["dim"] = [3, *geometry.size, 1, 1, 1, 1]
    affine = geometry.affine_ras()
    header.set_qform(affine, code=1)
    header.set_sform(affine, code=1)
    header.set_xyzt_units("mm")
    _finish(header, Storage(dtype))
    return header


def description_of(header: bytes) -> str:
    """What a NIfTI header says in its description; at most 80 characters.

    :param header: 348 or 540 bytes, see :class:`pseudonormal.scan.scan.Storage`.
    """
    return bytes(_parsed(header)["descrip"]).rstrip(b"\0").decode("utf-8", errors="replace")


def _finish(header: Nifti1Header | Nifti2Header, storage: Storage) -> None:
    header.set_data_dtype(storage.dtype)
    if storage.scaled:
        header["scl_slope"], header["scl_inter"] = storage.slope, storage.intercept
    elif np.isfinite(header["scl_slope"]) and header["scl_slope"] != 0:
        header["scl_slope"], header["scl_inter"] = 1.0, 0.0
    # Extensions of the source (which may name the patient) are not carried over: 4 zero bytes say "none".
    header["vox_offset"] = len(header.binaryblock) + 4
    header["magic"] = b"n+1" if len(header.binaryblock) == 348 else b"n+2"


def _content(path: Path) -> bytes:
    """The file's bytes, decompressed when the content (not the name) says gzip."""
    content = path.read_bytes()
    if not content:
        raise InputError(f"{path}: the file is empty (0 bytes); copy or export the scan again")
    if content[:2] != b"\x1f\x8b":
        return content
    try:
        return gzip.decompress(content)
    except (EOFError, OSError, zlib.error) as error:
        raise InputError(f"{path}: the compressed file is truncated or damaged; copy or export it again") from error


def _header(path: Path, content: bytes) -> Nifti1Header | Nifti2Header:
    sizes = (content[:4], content[:4][::-1])
    known = any(size in (b"\x5c\x01\0\0", b"\x1c\x02\0\0") for size in sizes)
    length = 348 if b"\x5c\x01\0\0" in sizes else 540
    if not known:
        raise InputError(f"{path}: this is not a NIfTI file, whatever its name says; give the scan or convert it first")
    if len(content) < length:
        raise InputError(f"{path}: the file is truncated (it ends within the header); copy or export the scan again")
    header = _parsed(content[:length])
    magic = bytes(header["magic"])[:3]
    if magic in (b"ni1", b"ni2"):
        raise InputError(f"{path}: this is one half of a two-file NIfTI (.hdr/.img); convert it to a single .nii.gz")
    if magic not in (b"n+1", b"n+2"):
        raise InputError(f"{path}: this is not a NIfTI file (Analyze 7.5 perhaps); convert it to NIfTI first")
    return header


def _parsed(block: bytes) -> Nifti1Header | Nifti2Header:
    kind = Nifti1Header if len(block) == 348 else Nifti2Header
    endianness = "<" if int.from_bytes(block[:4], "little") == len(block) else ">"
    return kind(block, endianness, check=False)


def _size(path: Path, header: Any) -> tuple[tuple[int, int, int], int]:
    """Spatial size (x, y, z) and number of volumes."""
    dims = [int(n) for n in header["dim"]]
    if not 1 <= dims[0] <= 7:
        raise InputError(f"{path}: the header is damaged ({dims[0]} dimensions); copy or export the scan again")
    size = checks.spatial_size(path, tuple(dims[1 : min(dims[0], 3) + 1]))
    further = dims[4 : dims[0] + 1]
    if any(n > 1 for n in further[1:]):
        raise InputError(f"{path}: voxels are vectors ({max(further[1:])} numbers each); give a scan with one number")
    return size, further[0] if further else 1


def _geometry(path: Path, header: Any, size: tuple[int, int, int]) -> Geometry:
    """LPS geometry, from the transform that ITK and therefore 3D Slicer would use, so that all is shown in one place.

    With both transforms present that is the sform if its code is 1 (scanner) and it has no shear, else the qform.
    """
    spacing = checks.checked_spacing(path, header["pixdim"][1:4], size)
    sform_code, qform_code = int(header["sform_code"]), int(header["qform_code"])
    if sform_code > 0 and (sform_code == 1 or qform_code <= 0):
        affine: NDArray[np.float64] = np.asarray(header.get_sform(), np.float64)
        lengths = np.linalg.norm(affine[:3, :3], axis=0)
        sheared = np.all(lengths > 0) and checks.nearest_rotation(affine[:3, :3] / lengths) is None
        if qform_code <= 0 or not sheared:
            axes = _LPS_FROM_RAS @ affine[:3, :3]
            direction = checks.checked_direction(path, axes)
            shift = np.diag(_LPS_FROM_RAS) * affine[:3, 3]
            # The sform is float32: where it only repeats pixdim, the rounder numbers are meant.
            lengths = np.where(np.isclose(lengths, spacing, rtol=1e-4), spacing, lengths)
            return checks.geometry(path, size, lengths, shift, direction)
    if qform_code > 0:
        quaternion = np.array([header["quatern_b"], header["quatern_c"], header["quatern_d"]], np.float64)
        if not np.all(np.isfinite(quaternion)) or np.sum(quaternion**2) > 1 + 1e-4:
            raise InputError(f"{path}: the qform is not a rotation; correct the header or convert it again")
        b, c, d = quaternion
        rotation = _rotation(np.sqrt(max(0.0, 1.0 - b * b - c * c - d * d)), b, c, d)
        if header["pixdim"][0] < 0:
            rotation[:, 2] *= -1
        offset = np.array([header["qoffset_x"], header["qoffset_y"], header["qoffset_z"]], np.float64)
        return checks.geometry(path, size, spacing, _LPS_FROM_RAS @ offset, _LPS_FROM_RAS @ rotation)
    # Neither transform: NIfTI's "method 1", axes towards right, front and head.
    return checks.geometry(path, size, spacing, np.zeros(3), _LPS_FROM_RAS)


def _rotation(a: float, b: float, c: float, d: float) -> NDArray[np.float64]:
    """Rotation matrix of the quaternion a + bi + cj + dk (NIfTI-1 standard, method 2)."""
    a, b, c, d = np.array([a, b, c, d]) / np.sqrt(a * a + b * b + c * c + d * d)
    return np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
        ]
    )
