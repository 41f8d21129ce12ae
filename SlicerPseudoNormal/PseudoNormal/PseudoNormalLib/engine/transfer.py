"""Volumes as bytes, for the way to the engine and back."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from PseudoNormalLib.engine.errors import EngineError
from PseudoNormalLib.engine.nrrd import read_nrrd, write_nrrd
from PseudoNormalLib.i18n import _

SUFFIXES = (".nii.gz", ".nii", ".nrrd", ".mha")


@dataclass(frozen=True, eq=False)
class Volume:
    """Voxels and where they are.

    :param array: ``(D, H, W)``, indexed ``[k, j, i]``.
    :param ijk_to_ras: 4×4, mm.
    """

    array: NDArray[np.generic]
    ijk_to_ras: NDArray[np.float64]


@dataclass(frozen=True)
class FileContent:
    """A volume as a file holds it.

    :param name: the file's; its suffix says the format.
    """

    data: bytes
    name: str


def as_file(volume: Volume | FileContent) -> FileContent:
    """What is sent of a volume; a file goes as it is.

    :raises ValueError: see :func:`encode`.
    """
    return volume if isinstance(volume, FileContent) else FileContent(encode(volume), "volume.nrrd")


def encode(volume: Volume) -> bytes:
    """The volume as an uncompressed NRRD file; type and matrix are kept exactly, bool becomes uint8.

    :raises ValueError: its type has no place in NRRD, or it is not three-dimensional.
    """
    return write_nrrd(volume.array, volume.ijk_to_ras)


def decode(content: bytes, name: str) -> Volume:
    """A volume from a file's content.

    NRRD is read in memory. Other formats are left to SimpleITK, which reads files only; NIfTI itself keeps the matrix
    in single precision.

    :param name: the file's; its suffix says the format.
    :raises EngineError: it cannot be read.
    """
    suffix = next((one for one in SUFFIXES if name.lower().endswith(one)), None)
    try:
        if suffix is None:
            raise ValueError("its format is not known")
        return Volume(*(read_nrrd(content) if suffix == ".nrrd" else _read_with_itk(content, suffix)))
    except (ValueError, RuntimeError, OSError) as error:
        reason = str(error).strip().splitlines()[-1] if str(error).strip() else type(error).__name__
        line = _("The volume {name} from the engine cannot be read: {reason}.")
        raise EngineError(line.format(name=name, reason=reason)) from error


def _read_with_itk(content: bytes, suffix: str) -> tuple[NDArray[np.generic], NDArray[np.float64]]:
    import SimpleITK as sitk

    with tempfile.TemporaryDirectory(prefix="PseudoNormal-") as folder:
        path = Path(folder) / f"volume{suffix}"
        path.write_bytes(content)
        image = sitk.ReadImage(str(path))
    if image.GetDimension() != 3 or image.GetNumberOfComponentsPerPixel() != 1:
        raise ValueError("it is not one three-dimensional volume")
    ijk_to_lps = np.eye(4)
    ijk_to_lps[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    ijk_to_lps[:3, 3] = image.GetOrigin()
    return sitk.GetArrayFromImage(image), np.diag((-1.0, -1.0, 1.0, 1.0)) @ ijk_to_lps
