"""The lesion mask as a DICOM Segmentation of the scan's series."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from PseudoNormalLib.engine.transfer import Volume
from PseudoNormalLib.export.atomic import new_file
from PseudoNormalLib.export.derived_header import series_number
from PseudoNormalLib.export.dicom_series import local_time
from PseudoNormalLib.export.errors import ExportError
from PseudoNormalLib.export.provenance import MANUFACTURER, NOTICE, Provenance
from PseudoNormalLib.export.source_series import read_source_series
from PseudoNormalLib.i18n import _
from PseudoNormalLib.scene.findings import label_lesions

DESCRIPTION = "Lesion mask (research, not for diagnosis)"
_SERIES_OFFSET = 3
_LARGEST = 2**16 - 1


def write_dicom_seg(
    path: Path,
    mask: Volume,
    source: Sequence[Path],
    provenance: Provenance,
    *,
    edited: bool,
    clock: Callable[[], datetime] = local_time,
) -> None:
    """Write a binary DICOM Segmentation with one segment for each finding.

    Each segment is a lesion of the brain in SNOMED CT, has a tracking id of its own and names the model that found it;
    the source files are referred to frame by frame.

    :param path: ends in .dcm; an earlier file is replaced.
    :param mask: voxels that are not 0 are lesion.
    :param source: the files of the scan's series, in any order.
    :param edited: whether a person drew or changed the mask.
    :raises ExportError: highdicom is not installed, the mask is empty, the source does not suit, or the file cannot be
        written.
    """
    try:
        from highdicom.seg import Segmentation
    except ImportError as error:
        raise ExportError(
            _("DICOM SEG needs the Python package highdicom; let the export install it, or export seg.nrrd")
        ) from error
    labels, count = label_lesions(mask.array != 0)
    if not 0 < count <= _LARGEST:
        raise ExportError(
            _("the lesion mask has {count} findings; a DICOM SEG holds 1 to {largest}").format(
                count=count, largest=_LARGEST
            )
        )
    slices = read_source_series(source, labels.shape, mask.ijk_to_ras)
    from pydicom.uid import generate_uid

    now = clock()
    segmentation = Segmentation(
        source_images=[one.header for one in slices],
        pixel_array=np.stack([one.plane(labels) for one in slices]).astype(np.uint16),
        segmentation_type="BINARY",
        segment_descriptions=[_segment(number, provenance, edited) for number in range(1, count + 1)],
        series_instance_uid=generate_uid(prefix=None),
        series_number=series_number(slices[0].header, _SERIES_OFFSET),
        sop_instance_uid=generate_uid(prefix=None),
        instance_number=1,
        manufacturer=MANUFACTURER,
        manufacturer_model_name=provenance.model or MANUFACTURER,
        software_versions=provenance.software or "unknown",
        device_serial_number="0",
        content_label="LESIONS",
        content_description=DESCRIPTION,
        series_description=DESCRIPTION,
    )
    segmentation.ImageComments = f"{provenance.sentence}. {NOTICE}"
    segmentation.ContentDate = segmentation.SeriesDate = segmentation.InstanceCreationDate = now.strftime("%Y%m%d")
    segmentation.ContentTime = segmentation.SeriesTime = segmentation.InstanceCreationTime = now.strftime("%H%M%S.%f")
    with new_file(path) as temporary:
        segmentation.save_as(temporary)


def _segment(number: int, provenance: Provenance, edited: bool) -> Any:
    """What one finding is and where it comes from."""
    from highdicom import UID, AlgorithmIdentificationSequence
    from highdicom.seg import SegmentDescription
    from pydicom.sr.codedict import codes

    algorithm = None
    if provenance.model:
        algorithm = AlgorithmIdentificationSequence(
            name=provenance.model,
            family=codes.DCM.ArtificialIntelligence,
            version=provenance.model_version or "unknown",
            source=MANUFACTURER,
        )
    return SegmentDescription(
        segment_number=number,
        segment_label=f"Lesion {number}",
        segmented_property_category=codes.SCT.MorphologicallyAbnormalStructure,
        segmented_property_type=codes.SCT.Lesion,
        algorithm_type=("SEMIAUTOMATIC" if edited else "AUTOMATIC") if algorithm else "MANUAL",
        algorithm_identification=algorithm,
        tracking_uid=UID(),
        tracking_id=f"{MANUFACTURER} lesion {number}",
        anatomic_regions=[codes.SCT.Brain],
    )
