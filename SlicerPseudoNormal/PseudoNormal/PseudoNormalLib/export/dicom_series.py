"""A derived DICOM series: the pseudo-normal, or the difference, beside the scan in the patient's study."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from PseudoNormalLib.engine.transfer import Volume
from PseudoNormalLib.export.atomic import new_folder
from PseudoNormalLib.export.copied_attributes import BY_CLASS
from PseudoNormalLib.export.derived_header import Kind, derived_header
from PseudoNormalLib.export.errors import ExportError
from PseudoNormalLib.export.provenance import Provenance
from PseudoNormalLib.export.source_series import SourceSlice, read_source_series
from PseudoNormalLib.export.stored_values import StoredValues, choose_stored_values
from PseudoNormalLib.i18n import _

if TYPE_CHECKING:
    from pydicom.dataset import Dataset


def local_time() -> datetime:
    """Now, in the time zone that the files' times are in."""
    return datetime.now().astimezone()


def write_dicom_series(
    folder: Path,
    volume: Volume,
    source: Sequence[Path],
    kind: Kind,
    provenance: Provenance,
    *,
    clock: Callable[[], datetime] = local_time,
) -> None:
    """Write a volume as a DICOM series of the study that its scan is from.

    Each file takes patient, study, frame of reference, position and acquisition over from the source file of the same
    place, refers to it, and says that it is derived and for research. Values are kept exactly where they are whole
    numbers, else to half a step of the source's own; where that does not fit, to 1/65534 of the largest.

    :param folder: made by this; it may be there if it is empty.
    :param volume: of any numeric type.
    :param source: the files of the scan's series, in any order.
    :raises ExportError: the source does not suit, or the folder cannot be written.
    """
    from pydicom.uid import generate_uid

    array = volume.array
    slices = read_source_series(source, array.shape, volume.ijk_to_ras)
    if any(str(one.header.get("SOPClassUID")) not in BY_CLASS for one in slices):
        raise ExportError(
            _("the source is neither an MR nor a CT series, so none can be derived from it; export NIfTI or seg.nrrd")
        )
    values = choose_stored_values(array, _source_rescale(slices) if kind.keeps_window else None)
    series, now = generate_uid(prefix=None), clock()
    reach = float(np.abs(array).max()) or 1.0
    with new_folder(folder) as temporary:
        for number, one in enumerate(slices, start=1):
            header = derived_header(one.header, kind, provenance, series, now)
            header.InstanceNumber = one.header.get("InstanceNumber") or number
            if not kind.keeps_window:
                header.WindowCenter, header.WindowWidth = 0, _number(2 * reach)
            _set_pixels(header, one.plane(array), values)
            _save(header, temporary / f"{number:04d}.dcm")


def _source_rescale(slices: list[SourceSlice]) -> tuple[float, float] | None:
    """Slope and intercept that all source files share."""
    pairs = {
        (float(one.header.get("RescaleSlope") or 1), float(one.header.get("RescaleIntercept") or 0)) for one in slices
    }
    return pairs.pop() if len(pairs) == 1 and min(pairs)[0] > 0 else None


def _set_pixels(header: Dataset, plane: np.ndarray, values: StoredValues) -> None:
    header.SamplesPerPixel, header.PhotometricInterpretation = 1, "MONOCHROME2"
    header.BitsAllocated, header.BitsStored, header.HighBit = 16, 16, 15
    header.PixelRepresentation = int(np.issubdtype(values.dtype, np.signedinteger))
    header.RescaleSlope, header.RescaleIntercept = _number(values.slope), _number(values.intercept)
    if "RescaleType" not in header:
        header.RescaleType = "US"
    header.PixelData = values.stored(plane).astype(values.dtype.newbyteorder("<")).tobytes()


def _number(value: float) -> str:
    from pydicom.valuerep import format_number_as_ds

    return f"{value:.0f}" if float(value).is_integer() and abs(value) < 1e15 else format_number_as_ds(float(value))


def _save(header: Dataset, path: Path) -> None:
    from pydicom import dcmwrite
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian

    header.file_meta = FileMetaDataset()
    header.file_meta.MediaStorageSOPClassUID = header.SOPClassUID
    header.file_meta.MediaStorageSOPInstanceUID = header.SOPInstanceUID
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dcmwrite(path, header, enforce_file_format=True)
