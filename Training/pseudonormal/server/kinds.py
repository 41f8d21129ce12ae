"""Which files may be uploaded, told by their first bytes.

Headers of NRRD and MetaImage may say that the voxels are in another file, and the readers then open whatever file is
named. No such header may come in, in any spelling that a reader could understand: what is not plain is refused.
"""

from __future__ import annotations

import re
import struct
import zlib

SUFFIXES = (".nii.gz", ".nii", ".nrrd", ".mha")
HEAD_BYTES = 1 << 20
"""Headers are read so far; a longer one is refused."""
_NIFTI_SIZES = {struct.pack(order + "i", size) for order in "<>" for size in (348, 540)}
_DETACHED = re.compile(rb"^(?!#)[^:\n]*data ?file[^:\n]*:(?!=)", re.IGNORECASE | re.MULTILINE)
# Where a field has fewer numbers than it needs, the reader looks for them in the next line: it would pass over LOCAL,
# and believe the voxels where they name a file. So the line comes before it that every writer on ITK puts there.
_META_LOCAL = re.compile(
    rb"^ElementType[ \t]*=[ \t]*MET_[A-Z_]+[ \t]*\r?\nElementDataFile[ \t]*=[ \t]*LOCAL[ \t]*\r?\n", re.MULTILINE
)


def suffix_of(name: str) -> str | None:
    """The suffix of a file name, lower case; None for a kind that is not taken."""
    return next((suffix for suffix in SUFFIXES if name.lower().endswith(suffix)), None)


def fault(suffix: str, head: bytes) -> str | None:
    """Why a file cannot be taken; None: it can.

    :param suffix: one of ``SUFFIXES``.
    :param head: the file's first ``HEAD_BYTES``, or all of it.
    """
    if suffix == ".nrrd":
        return _nrrd_fault(head)
    if suffix == ".mha":
        return _meta_fault(head)
    if suffix == ".nii.gz":
        try:
            head = zlib.decompressobj(wbits=31).decompress(head, 540)
        except zlib.error:
            head = b""
    return None if head[:4] in _NIFTI_SIZES else _other(suffix)


def _nrrd_fault(head: bytes) -> str | None:
    header, blank, _ = head.partition(b"\n\n")
    if not header.startswith(b"NRRD000"):
        return _other(".nrrd")
    if _DETACHED.search(header):
        return "the volume keeps its voxels in another file; export it as one file"
    # With carriage returns it would depend on the reader where the header ends.
    return None if blank and b"\r" not in header else _odd(".nrrd")


def _meta_fault(head: bytes) -> str | None:
    """Lines of any look are taken: ITK writes what a scan's metadata hold, line breaks in them too."""
    local = _META_LOCAL.search(head)
    header = head[: local.start()] if local else head
    if not header.lstrip().startswith((b"ObjectType", b"NDims", b"Comment")):
        return _other(".mha")
    if b"elementdatafile" in header.lower():
        return "the volume keeps its voxels in another file; export it as one file"
    return None if local else _odd(".mha")


def _other(suffix: str) -> str:
    return f"the volume is no {suffix} file, whatever its name says; export it again"


def _odd(suffix: str) -> str:
    return f"the volume's {suffix} header is damaged or unusual; export it again"
