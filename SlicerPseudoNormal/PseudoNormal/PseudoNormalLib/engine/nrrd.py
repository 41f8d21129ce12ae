"""NRRD files in memory: three-dimensional, one number a voxel, type and matrix kept to the last bit."""

from __future__ import annotations

import gzip
import re

import numpy as np
from numpy.typing import NDArray

_SPACE_OF = {"left-posterior-superior": (-1, -1), "right-anterior-superior": (1, 1), "left-anterior-superior": (-1, 1)}
_SHORT = {"lps": "left-posterior-superior", "ras": "right-anterior-superior", "las": "left-anterior-superior"}
_NAMES = {
    "int8": ("signed char",),
    "uint8": ("uchar", "unsigned char", "uint8_t"),
    "int16": ("short", "short int", "signed short", "signed short int", "int16_t"),
    "uint16": ("ushort", "unsigned short", "unsigned short int", "uint16_t"),
    "int32": ("int", "signed int", "int32_t"),
    "uint32": ("uint", "unsigned int", "uint32_t"),
    "int64": ("longlong", "long long", "long long int", "signed long long", "signed long long int", "int64_t"),
    "uint64": ("ulonglong", "unsigned long long", "unsigned long long int", "uint64_t"),
    "float32": ("float",),
    "float64": ("double",),
}
_WRITTEN = {"float32": "float", "float64": "double"}
_TYPE_OF = {name: kind for kind, names in _NAMES.items() for name in (kind, *names)}
_NUMBERS = re.compile(r"\(([^()]*)\)")


def write_nrrd(array: NDArray[np.generic], ijk_to_ras: NDArray[np.float64]) -> bytes:
    """An uncompressed NRRD file in LPS.

    :param array: ``(D, H, W)``; bool becomes uint8.
    :param ijk_to_ras: 4×4, mm.
    :raises ValueError: the type has no place in NRRD, or the array is not three-dimensional.
    """
    array = array.astype(np.uint8) if array.dtype == bool else array
    kind = array.dtype.newbyteorder("=").name
    if array.ndim != 3 or kind not in _NAMES:
        raise ValueError(f"an array of {array.ndim} dimensions and type {array.dtype} cannot be written as NRRD")
    ijk_to_lps = np.diag((-1.0, -1.0, 1.0, 1.0)) @ ijk_to_ras
    # repr gives the shortest text that is read back as the very same number.
    vectors = ["({})".format(",".join(repr(float(number)) for number in ijk_to_lps[:3, axis])) for axis in range(4)]
    header = (
        "NRRD0004",
        f"type: {_WRITTEN.get(kind, kind)}",
        "dimension: 3",
        "space: left-posterior-superior",
        "sizes: " + " ".join(str(size) for size in array.shape[::-1]),
        "space directions: " + " ".join(vectors[:3]),
        "kinds: domain domain domain",
        "endian: little",
        "encoding: raw",
        f"space origin: {vectors[3]}",
    )
    voxels = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    return b"".join(("\n".join(header).encode() + b"\n\n", voxels.data if voxels.size else b""))


def read_nrrd(content: bytes) -> tuple[NDArray[np.generic], NDArray[np.float64]]:
    """Array ``(D, H, W)`` and IJK to RAS matrix of an attached NRRD file, raw or gzip.

    :raises ValueError: it is something else, or damaged.
    """
    end = re.search(rb"\r?\n\r?\n", content)
    if not content.startswith(b"NRRD") or end is None:
        raise ValueError("it is no NRRD file")
    fields = _fields(content[: end.start()].decode("utf-8", "replace"))
    try:
        size = tuple(int(number) for number in fields["sizes"].split())
        kind = np.dtype(_TYPE_OF[fields["type"].lower()])
        encoding = fields["encoding"].lower()
        matrix = _ijk_to_ras(fields)
    except (KeyError, ValueError) as error:
        raise ValueError(f"its header cannot be understood ({error})") from error
    if len(size) != 3 or "data file" in fields:
        raise ValueError("it is not one volume with its voxels")
    data, start = content, end.end()
    if encoding in ("gzip", "gz"):
        try:
            data, start = gzip.decompress(content[start:]), 0
        except (OSError, EOFError) as error:
            raise ValueError("its voxels are damaged") from error
    elif encoding != "raw":
        raise ValueError(f"its encoding {encoding!r} is not known")
    wanted = kind.newbyteorder(">" if fields.get("endian", "little").lower() == "big" else "<")
    count = size[0] * size[1] * size[2]
    if len(data) - start < count * kind.itemsize:
        raise ValueError("it ends too early")
    return np.frombuffer(data, wanted, count, start).reshape(size[::-1]).astype(kind), matrix


def _fields(header: str) -> dict[str, str]:
    lines = (line for line in header.splitlines()[1:] if not line.startswith("#") and ":=" not in line)
    parts = (line.partition(":") for line in lines)
    return {name.strip().lower(): value.strip() for name, _, value in parts}


def _ijk_to_ras(fields: dict[str, str]) -> NDArray[np.float64]:
    space = fields["space"].lower()
    flips = _SPACE_OF[_SHORT.get(space, space)]
    columns = [*_NUMBERS.findall(fields["space directions"]), *_NUMBERS.findall(fields["space origin"])]
    matrix = np.eye(4)
    matrix[:3, :] = np.array([[float(number) for number in column.split(",")] for column in columns]).T
    return np.diag((*flips, 1.0, 1.0)) @ matrix
