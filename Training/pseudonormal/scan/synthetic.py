"""The mark in the header of scans that a network made: whoever finds such a file alone shall know what it is."""

from __future__ import annotations

from pseudonormal.scan.nifti import description_of
from pseudonormal.scan.scan import Scan

MARK = "SYNTHETIC, made by PseudoNormal; not a scan of a patient"  # fits into the 80 bytes of NIfTI's field


def is_marked(scan: Scan) -> bool:
    """Whether the scan's header says that it is synthetic; formats other than NIfTI cannot say it."""
    return scan.storage.header is not None and description_of(scan.storage.header) == MARK
