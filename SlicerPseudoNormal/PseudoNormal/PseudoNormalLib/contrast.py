"""Which contrast a scan has, as far as its name and its DICOM header tell."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PseudoNormalLib.i18n import _

CONTRASTS = {
    "flair": _("FLAIR"),
    "t1": _("T1"),
    "t1c": _("T1 with contrast agent"),
    "t2": _("T2"),
    "pd": _("PD"),
    "dwi": _("DWI"),
    "other": _("Another one"),
}
"""The engine's words for contrasts, and how people say them."""
_BETWEEN = r"(?:^|[^a-z0-9]){}(?:[^a-z0-9]|$)"
_AGENT = "|".join(
    (
        r"t1 ?-?(?:c|ce|gd|gad|post|\+ ?c|kontrast|km)(?:[^a-z]|$)",
        r"t1.*(?:post|gad|contrast|\+c|(?:[^a-z]|$)gd(?:[^a-z]|$))",
        r"(?:post|gad|gd).*t1",
    )
)
# The first that fits counts: a T2 FLAIR is a FLAIR, a T2* no T2, a T1 with contrast agent more than a T1.
_WORDS = (
    ("flair", r"flair|tirm"),
    ("other", _BETWEEN.format("adc")),
    ("dwi", r"dwi|diffusion|" + _BETWEEN.format(r"(?:dti|trace|b ?1000)")),
    ("other", r"t2 ?\*|t2 ?star|" + _BETWEEN.format("(?:swi|swan|gre|hemo)")),
    ("t1c", _AGENT),
    ("t1", r"t1|mprage|mp2rage|spgr|bravo|" + _BETWEEN.format("(?:tfe|vibe|mpr)")),
    ("t2", r"t2"),
    ("pd", _BETWEEN.format("(?:pd|pdw|proton.density)")),
)
_TEXTS = ("SeriesDescription", "ProtocolName")
_TIMES = ("EchoTime", "RepetitionTime", "InversionTime", "ContrastBolusAgent")


def guess_contrast(image: Any, files: Sequence[Path] = ()) -> str | None:
    """The contrast of a scan: from its node's name, else from its DICOM series' description, else from its times.

    :param image: vtkMRMLScalarVolumeNode.
    :param files: the DICOM files that it was loaded from.
    :returns: a word of ``CONTRASTS``; None when it cannot be told.
    """
    header = _header(files[0]) if files else {}
    texts = [image.GetName() or "", *(header[name] for name in _TEXTS if name in header)]
    return next((found for text in texts if (found := contrast_in(text))), None) or _from_times(header)


def contrast_in(text: str) -> str | None:
    """The contrast that a name speaks of, by a word of ``CONTRASTS``; None when it speaks of none."""
    plain = re.sub(r"[_\s]+", " ", text.lower())
    return next((contrast for contrast, pattern in _WORDS if re.search(pattern, plain)), None)


def _from_times(header: dict[str, str]) -> str | None:
    """Spin echo sequences at clinical field strengths; milliseconds."""
    try:
        echo, repetition = float(header["EchoTime"]), float(header["RepetitionTime"])
        inversion = float(header.get("InversionTime") or 0)
    except (KeyError, ValueError):
        return None
    if echo > 70:
        return "flair" if inversion > 1500 else "t2"
    if echo < 30 and (repetition < 1200 or inversion > 500):
        return "t1c" if header.get("ContrastBolusAgent") else "t1"
    return "pd" if echo < 30 and repetition > 1800 else None


def _header(file: Path) -> dict[str, str]:
    """What a DICOM file says that bears on the contrast; nothing where it cannot be read."""
    import pydicom

    try:
        header = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=[*_TEXTS, *_TIMES])
    except (OSError, pydicom.errors.InvalidDicomError):
        return {}
    return {name: str(header[name].value) for name in (*_TEXTS, *_TIMES) if name in header}
