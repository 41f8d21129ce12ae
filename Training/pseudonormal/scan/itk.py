"""NRRD and MetaImage: headers are checked as text first, voxels are read by SimpleITK.

ITK repairs some faulty headers without a word (a negative MetaImage spacing, for example), hence the look beforehand.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from pseudonormal.errors import InputError
from pseudonormal.scan import checks
from pseudonormal.scan.scan import Scan, Storage

_NOT_AN_AXIS_OF_SPACE = {"list", "time", "none", "???"}
_STDERR = threading.Lock()


def read_nrrd(path: Path, volume: int | None, layers: bool = False) -> Scan:
    """Read one volume of a .nrrd or .nhdr file.

    :param volume: which volume of a 4D file, counted from 0.
    :param layers: take the largest value over all volumes instead: how 3D Slicer stores overlapping segments.
    :raises InputError: when the file is not a whole, sound NRRD file with scalar voxels.
    """
    fields = _nrrd_fields(path)
    sizes = tuple(int(n) for n in _numbers(path, fields, "sizes"))
    kinds = fields.get("kinds", "").lower().split() or ["domain"] * len(sizes)
    axes = re.findall(r"none|\([^)]*\)", fields.get("space directions", ""))
    if axes and len(axes) == len(sizes):
        spatial = [axis != "none" for axis in axes]
    else:
        spatial = [kind in ("domain", "space", "???", "none") for kind in kinds]
    if not any(spatial) or len(kinds) != len(sizes):
        raise InputError(f"{path}: the header is damaged (sizes and kinds do not match); export the scan again")
    if sum(spatial) == len(sizes) == 4:
        spatial[3] = False
    for kind, in_space in zip(kinds, spatial, strict=True):
        if not in_space and kind not in _NOT_AN_AXIS_OF_SPACE and kind not in ("domain", "space"):
            raise InputError(f"{path}: voxels are {_voxel_words(kind)}; give a scan with one number per voxel")
    if fields.get("type") == "block":
        raise InputError(f"{path}: voxel type 'block' is not supported; convert the scan to int16 or float32")
    size = checks.spatial_size(path, tuple(n for n, in_space in zip(sizes, spatial, strict=True) if in_space))
    _check_nrrd_axes(path, fields, axes, size)
    return _read(path, size, volume, layers)


def read_meta(path: Path, volume: int | None) -> Scan:
    """Read one volume of a .mha or .mhd file.

    :param volume: which volume of a 4D file, counted from 0.
    :raises InputError: when the file is not a whole, sound MetaImage file with scalar voxels.
    """
    fields = _meta_fields(path)
    if int(_numbers(path, fields, "elementnumberofchannels", "1")[0]) > 1:
        raise InputError(f"{path}: voxels are vectors or RGB colours; give a scan with one number per voxel")
    sizes = tuple(int(n) for n in _numbers(path, fields, "dimsize"))
    size = checks.spatial_size(path, sizes[:3])
    if len(sizes) > 4:
        raise InputError(f"{path}: the image has {len(sizes)} dimensions; a 3D scan is needed")
    ones = " ".join("1" for _ in sizes)
    spacing = _numbers(path, fields, "elementspacing", fields.get("elementsize", ones))
    if len(spacing) != len(sizes):
        raise InputError(f"{path}: the header is damaged (ElementSpacing does not match DimSize); export it again")
    checks.checked_spacing(path, spacing[:3], size)
    identity = " ".join(str(int(n)) for n in np.eye(len(sizes)).flat)
    matrix = _numbers(path, fields, "transformmatrix", fields.get("orientation", fields.get("rotation", identity)))
    if len(matrix) != len(sizes) ** 2:
        raise InputError(f"{path}: the header is damaged (TransformMatrix does not match NDims); export it again")
    checks.checked_direction(path, np.reshape(matrix, (len(sizes), len(sizes)))[:3, :3].T)
    return _read(path, size, volume, layers=False)


def _read(path: Path, size: tuple[int, int, int], volume: int | None, layers: bool) -> Scan:
    try:
        with quiet():
            image = sitk.ReadImage(str(path))
    except RuntimeError as error:
        raise InputError(_reason(path, str(error))) from error
    if "complex" in image.GetPixelIDTypeAsString():
        raise InputError(f"{path}: voxels are complex numbers; give the magnitude image")
    array: NDArray[Any] = sitk.GetArrayFromImage(image)
    # A list axis comes as vector components (last), a fourth domain axis as time (first): volumes go first.
    if image.GetNumberOfComponentsPerPixel() > 1:
        array = np.moveaxis(array, -1, 0)
    volumes = array.reshape(-1, size[2], size[1], size[0])
    array = volumes.max(axis=0) if layers else volumes[checks.choose_volume(path, len(volumes), volume)]
    n = image.GetDimension()
    axes = np.reshape(image.GetDirection(), (n, n))[:3, :3]
    geometry = checks.geometry(path, size, image.GetSpacing()[:3], image.GetOrigin()[:3], axes)
    return Scan(np.ascontiguousarray(array), geometry, path, Storage(array.dtype))


@contextmanager
def quiet() -> Iterator[None]:
    """Keep what ITK's C++ libraries print about bad files off stderr; the caller says it better."""
    with _STDERR:
        try:
            kept = os.dup(2)
        except OSError:  # no stderr at all (a windowed application): nothing can be printed either
            yield
            return
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, 2)
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            os.close(nowhere)


def _nrrd_fields(path: Path) -> dict[str, str]:
    head = _head(path)
    if not head.startswith(b"NRRD000"):
        raise InputError(f"{path}: this is not an NRRD file, whatever its name says; give the scan or convert it first")
    fields = {}
    for line in re.split(rb"\r?\n\r?\n", head, maxsplit=1)[0].decode("utf-8", "replace").splitlines()[1:]:
        name, colon, value = line.partition(":")
        if colon and not line.startswith("#") and not value.startswith("="):
            fields[name.strip().lower()] = value.strip()
    return fields


def _meta_fields(path: Path) -> dict[str, str]:
    fields = {}
    for line in _head(path).splitlines():
        name, equals, value = line.decode("utf-8", "replace").partition("=")
        if not equals:
            break
        fields[name.strip().lower()] = value.strip()
        if name.strip().lower() == "elementdatafile":
            break
    if "dimsize" not in fields or "elementdatafile" not in fields:
        raise InputError(f"{path}: this is not a MetaImage file or its header is cut off; export the scan again")
    return fields


def _head(path: Path) -> bytes:
    with path.open("rb") as stream:
        head = stream.read(1 << 20)
    if not head:
        raise InputError(f"{path}: the file is empty (0 bytes); copy or export the scan again")
    return head


def _numbers(path: Path, fields: dict[str, str], name: str, default: str | None = None) -> list[float]:
    text = fields.get(name, default)
    try:
        if text is None:
            raise ValueError(name)
        return [float(word) for word in re.split(r"[\s,()]+", text) if word]
    except ValueError as error:
        raise InputError(
            f"{path}: the header is damaged or cut off ('{name}' cannot be read); export the scan again"
        ) from error


def _check_nrrd_axes(path: Path, fields: dict[str, str], axes: list[str], size: tuple[int, int, int]) -> None:
    """Refuse the spacing and directions that ITK would repair or only report in its own words."""
    vectors = [_numbers(path, {"space directions": axis}, "space directions") for axis in axes if axis != "none"]
    if [len(vector) for vector in vectors] == [4] * 4:  # a series in time, written with time as a dimension of space
        vectors = [vector[:3] for vector in vectors[:3]]
    if vectors:
        if [len(vector) for vector in vectors] != [3, 3, 3]:
            raise InputError(f"{path}: the header is damaged ('space directions' is not 3x3); export the scan again")
        matrix = np.array(vectors).T
        checks.checked_spacing(path, np.linalg.norm(matrix, axis=0), size)
        checks.checked_direction(path, matrix)
    elif "spacings" in fields:
        # An axis that is no direction in space has NaN here.
        words = [float(word) for word in fields["spacings"].split()]
        checks.checked_spacing(path, words[:3] if len(words) == 3 or np.isnan(words[3]) else words[-3:], size)


def _voxel_words(kind: str) -> str:
    if "color" in kind:
        return "RGB colours"
    return "complex numbers" if kind == "complex" else f"vectors ({kind})"


def _names_missing_file(path: Path) -> bool:
    """Whether a MetaImage header names a data file that is not there."""
    if not path.name.lower().endswith((".mha", ".mhd")):
        return False
    name = _meta_fields(path)["elementdatafile"]
    return not name.upper().startswith(("LOCAL", "LIST")) and "%" not in name and not (path.parent / name).exists()


def _reason(path: Path, error: str) -> str:
    """ITK's exception as one line that says what to do."""
    if "couldn't open" in error or _names_missing_file(path):
        return f"{path}: its data file is missing; keep the header and the data file it names in one folder"
    return f"{path}: the file is truncated or damaged, its voxels cannot be read; copy or export it again"
