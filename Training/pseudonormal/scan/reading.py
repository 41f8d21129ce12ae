"""Read a scan or a lesion mask from whatever file the user has."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pseudonormal.errors import InputError
from pseudonormal.scan import checks
from pseudonormal.scan.dicom import read_dicom
from pseudonormal.scan.itk import read_meta, read_nrrd
from pseudonormal.scan.nifti import read_nifti
from pseudonormal.scan.placing import place_mask
from pseudonormal.scan.scan import Scan

_KNOWN = ".nii, .nii.gz, .nrrd, .nhdr, .mha, .mhd or a folder with one DICOM series"


def read_scan(path: str | Path, volume: int | None = None) -> Scan:
    """Read a scan: NIfTI, NRRD, MetaImage, or a folder with one DICOM series.

    The array is (D, H, W) in the order of the file (``[z, y, x]``), in the scan's own units and of the on-disk type;
    scaled NIfTI becomes float32. The geometry is LPS, in mm.

    :param volume: which volume of a 4D file to read, counted from 0.
    :raises InputError: when the scan is missing, damaged, not 3D, not one number per voxel, without contents, or has
        a header that cannot be right.
    """
    scan = _read(Path(path), volume)
    checks.check_values(scan.source, scan.array)
    return scan


def read_mask(path: str | Path, scan: Scan) -> tuple[NDArray[np.bool_], tuple[str, ...]]:
    """Read a lesion mask onto the grid of a scan; any value above 0 is lesion.

    :param scan: the scan that the mask belongs to.
    :returns: (D, H, W) mask of the scan's shape, and warnings for the user (a mask that had to be resampled).
    :raises InputError: when the mask is missing, damaged or empty, or does not lie over the scan.
    """
    mask = _read(Path(path), None, layers=True)
    if mask.array.dtype.kind == "f" and not np.all(np.isfinite(mask.array)):
        raise InputError(f"{path}: the mask holds NaN or infinite voxels; replace them by 0 first")
    return place_mask(mask, scan)


def _read(path: Path, volume: int | None, layers: bool = False) -> Scan:
    name = path.name.lower()
    try:
        if path.is_dir():
            return read_dicom(path, volume)
        if not path.exists():
            raise InputError(f"{path}: no such file; check the path")
        if not path.is_file():
            raise InputError(f"{path}: not a regular file; give {_KNOWN}")
        if name.endswith((".nii", ".nii.gz")):
            return read_nifti(path, volume)
        if name.endswith((".nrrd", ".nhdr")):
            return read_nrrd(path, volume, layers and name.endswith(".seg.nrrd"))
        if name.endswith((".mha", ".mhd")):
            return read_meta(path, volume)
        if _is_dicom(path):
            raise InputError(f"{path}: a single DICOM file; give the folder that holds the whole series")
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror or error}); check the path and the rights"
        ) from error
    raise InputError(f"{path}: unknown kind of file; give {_KNOWN}")


def _is_dicom(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(132)[128:] == b"DICM"
