"""The header of a derived DICOM image: the patient and study of its source, and what was done."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from PseudoNormalLib.export import copied_attributes as copied
from PseudoNormalLib.export.provenance import MANUFACTURER, NOTICE, Provenance

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_LARGEST_NUMBER = 2**31 - 1


@dataclass(frozen=True)
class Kind:
    """A kind of derived series.

    :param name: last value of ImageType, capitals.
    :param offset: added to a hundred times the source's series number.
    :param description: the series' name in every list of series, at most 64 characters.
    :param derivation: what the voxels are.
    :param code: value and meaning of the derivation in DICOM's own vocabulary; None where it has no word.
    :param keeps_window: whether the source's display window suits.
    """

    name: str
    offset: int
    description: str
    derivation: str
    code: tuple[str, str] | None
    keeps_window: bool


PSEUDO_NORMAL = Kind(
    "PSEUDO_NORMAL",
    1,
    "Pseudo-normal (research, not for diagnosis)",
    "What the scan would look like without its lesions; restored inside the lesion mask, the source elsewhere.",
    None,
    keeps_window=True,
)
DIFFERENCE = Kind(
    "DIFFERENCE",
    2,
    "Difference to pseudo-normal (research, not for diagnosis)",
    "Source minus pseudo-normal, in the source's units.",
    ("113062", "Pixel by pixel subtraction"),
    keeps_window=False,
)


def series_number(source: Dataset, offset: int) -> int:
    """A number for a series made from another: 301 becomes 30101, so that it stands behind its source in lists."""
    number = int(source.get("SeriesNumber") or 0) * 100 + offset
    return number if 0 <= number <= _LARGEST_NUMBER else offset


def derived_header(source: Dataset, kind: Kind, provenance: Provenance, series: str, now: datetime) -> Dataset:
    """The header of the image made from one source image; its pixels and its own instance number are still to come.

    :param series: instance UID of the new series.
    :param now: local time.
    """
    from pydicom.uid import generate_uid

    header = _taken_over(source, kind)
    header.SOPInstanceUID = generate_uid(prefix=None)
    header.SeriesInstanceUID = series
    header.SeriesNumber = series_number(source, kind.offset)
    header.SeriesDescription = kind.description
    header.ImageType = ["DERIVED", "SECONDARY", "AXIAL" if _is_ct(source) else "OTHER", kind.name]
    header.DerivationDescription = f"{provenance.sentence}. {kind.derivation} {NOTICE}"
    header.ImageComments = NOTICE
    header.ContentQualification = "RESEARCH"
    header.Manufacturer = MANUFACTURER
    header.ManufacturerModelName = provenance.model or MANUFACTURER
    header.SoftwareVersions = provenance.software or "unknown"
    header.SeriesDate = header.ContentDate = header.InstanceCreationDate = now.strftime("%Y%m%d")
    header.SeriesTime = header.ContentTime = header.InstanceCreationTime = now.strftime("%H%M%S.%f")
    header.SourceImageSequence = [_source_image(source)]
    header.ContributingEquipmentSequence = [_scanner(source)]
    if kind.code:
        header.DerivationCodeSequence = [_code(*kind.code)]
    return header


def _taken_over(source: Dataset, kind: Kind) -> Dataset:
    from pydicom.dataset import Dataset

    header = Dataset()
    keywords = [*copied.CODING, *copied.PATIENT, *copied.STUDY, *copied.SERIES, *copied.FRAME, *copied.PLANE]
    keywords += [
        *copied.IMAGE,
        *copied.BY_CLASS[str(source.SOPClassUID)],
        *(copied.WINDOW if kind.keeps_window else ()),
    ]
    for keyword in keywords:
        if keyword in source:
            header[keyword] = copy.deepcopy(source[keyword])
    for keyword in copied.MAY_BE_EMPTY:
        if keyword not in header:
            setattr(header, keyword, None)
    return header


def _source_image(source: Dataset) -> Dataset:
    from pydicom.dataset import Dataset

    item = Dataset()
    item.ReferencedSOPClassUID = source.SOPClassUID
    item.ReferencedSOPInstanceUID = source.SOPInstanceUID
    item.SpatialLocationsPreserved = "YES"
    item.PurposeOfReferenceCodeSequence = [_code("121322", "Source image for image processing operation")]
    return item


def _scanner(source: Dataset) -> Dataset:
    from pydicom.dataset import Dataset

    item = Dataset()
    for keyword in copied.EQUIPMENT:
        if keyword in source:
            item[keyword] = copy.deepcopy(source[keyword])
    if "Manufacturer" not in item:
        item.Manufacturer = "unknown"
    item.PurposeOfReferenceCodeSequence = [_code("109101", "Acquisition Equipment")]
    return item


def _code(value: str, meaning: str) -> Dataset:
    from pydicom.dataset import Dataset

    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "DCM", meaning
    return item


def _is_ct(source: Dataset) -> bool:
    return str(source.SOPClassUID) == copied.CT_STORAGE
