"""What a case's folder holds, whoever wrote it: the command line or the extension's batch."""

from __future__ import annotations

FILES = {
    "pseudo_normal.nii.gz",
    "difference.nii.gz",
    "difference_z.nii.gz",
    "confidence.nii.gz",
    "lesion_mask.nii.gz",
    "lesion.seg.nrrd",
    "report.json",
    "report.html",
}
