"""Image files: NIfTI, NRRD and MetaImage, read without holding up the page."""

from __future__ import annotations

import gzip
import re
import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import SimpleITK as sitk
from PseudoNormalLib.i18n import _

from PseudoNormalWeb.parts.files.picture import FileError, Picture, holds_labels, placed

SEGMENTATION = ".seg.nrrd"
SUFFIXES = (SEGMENTATION, ".nii.gz", ".nii", ".nrrd", ".nhdr", ".mha", ".mhd")
_DATA_FILE = re.compile(rb"^(?:ElementDataFile\s*=|data ?file:)\s*(.+?)\s*$", re.IGNORECASE | re.MULTILINE)
_HEADER_BYTES = 65536
_CHUNK = 1 << 20


def suffix_of(path: Path) -> str:
    """Which of ``SUFFIXES`` a file has; empty for none."""
    return next((suffix for suffix in SUFFIXES if path.name.lower().endswith(suffix)), "")


def voxel_file(path: Path) -> Path | None:
    """The file of its own that holds an image's voxels; None where they are in the same.

    :raises FileError: it is not there, or lies elsewhere.
    """
    if suffix_of(path) in (".nii", ".nii.gz"):
        return None
    with path.open("rb") as stream:
        header = stream.read(_HEADER_BYTES).split(b"\n\n", 1)[0]
    told = _DATA_FILE.search(header)
    name = told[1].decode("utf-8", "replace") if told else "LOCAL"
    if name.upper() == "LOCAL":
        return None
    other = path.parent / name
    # A header names any file that it likes; only one that came along is read.
    if Path(name).name != name or not other.is_file():
        line = _("{file}: its voxels are in {other}, which is not there; open both files together")
        raise FileError(line.format(file=path.name, other=name))
    return other


def read_image(path: Path) -> Picture:
    """A scan or mask from an image file; its left-handed grids are turned as Slicer turns them.

    :raises FileError: it is damaged, or no 3D image with one number a voxel.
    """
    suffix = suffix_of(path)
    voxel_file(path)
    try:
        with _unpacked(path, suffix) as plain:
            image = _read(plain, path.name, layers=suffix == SEGMENTATION)
    except (RuntimeError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        line = _("{file}: cannot be read; it is cut off, damaged or no image: copy or export it again")
        raise FileError(line.format(file=path.name)) from error
    array = sitk.GetArrayFromImage(image)
    if array.ndim > 3:  # a segmentation's layers
        array = (array > 0).any(axis=-1).view(np.uint8)
    axes = np.array(image.GetDirection()).reshape(3, 3)
    array, matrix = placed(array, np.array(image.GetSpacing()), np.array(image.GetOrigin()), axes)
    return Picture(
        name=path.name[: -len(suffix)],
        array=np.ascontiguousarray(array),
        ijk_to_ras=matrix,
        label_map=suffix == SEGMENTATION or holds_labels(array),
    )


@contextmanager
def _unpacked(path: Path, suffix: str) -> Iterator[Path]:
    """The file itself, or what is packed in it: the reader would take a half of it for the whole."""
    if suffix != ".nii.gz":
        yield path
        return
    with TemporaryDirectory(dir=path.parent, prefix=".") as folder:
        plain = Path(folder) / "unpacked.nii"
        with gzip.open(path) as packed, plain.open("wb") as stream:
            shutil.copyfileobj(packed, stream, _CHUNK)
        yield plain


def _read(path: Path, name: str, *, layers: bool) -> sitk.Image:
    """:raises RuntimeError: the file is damaged."""
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    reader.ReadImageInformation()
    size = reader.GetSize()
    _check(name, size, 1 if layers else reader.GetNumberOfComponents())
    if reader.HasMetaDataKey("bitpix"):
        bits, begin = (float(reader.GetMetaData(key)) for key in ("bitpix", "vox_offset"))
        if path.stat().st_size < begin + np.prod(size) * bits / 8:
            raise RuntimeError("shorter than its voxels")
    if len(size) > 3:
        reader.SetExtractSize([*size[:3], *(0 for _more in size[3:])])
    return reader.Execute()


def _check(name: str, size: tuple[int, ...], numbers: int) -> None:
    if numbers > 1:
        line = _("{file}: has {count} numbers a voxel (a colour picture?); give the scan itself")
        raise FileError(line.format(file=name, count=numbers))
    volumes = int(np.prod(size[3:])) if len(size) > 3 else 1
    if volumes > 1:
        line = _("{file}: is 4D with {count} volumes; give one of them as a file of its own")
        raise FileError(line.format(file=name, count=volumes))
    if len(size) < 3 or min(size[:3]) < 2:
        line = _("{file}: is 2D ({size}); give the whole 3D scan")
        raise FileError(line.format(file=name, size=" x ".join(str(length) for length in size)))
