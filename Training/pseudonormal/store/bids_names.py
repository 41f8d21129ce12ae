"""Names of files as the Brain Imaging Data Structure (BIDS) builds them: ``sub-01_ses-2_desc-lesion_mask``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# The project's words for a contrast, with the BIDS entity (contrast agent) and suffix that say the same.
_CONTRASTS = {
    "t1": ("", "T1w"),
    "t1c": ("gadolinium", "T1w"),
    "t2": ("", "T2w"),
    "flair": ("", "FLAIR"),
    "pd": ("", "PDw"),
}
UNKNOWN = "image"  # suffix of a scan whose contrast nobody told; no suffix of BIDS, hence in .bidsignore
MASK_SUFFIXES = ("mask", "roi", "dseg", "lesion")


@dataclass(frozen=True)
class BidsName:
    """A file name in parts.

    :param entities: in the name's order, for instance ``{"sub": "01", "desc": "lesion"}``.
    :param suffix: the last part.
    :param within: parts before it that are no entities, for instance the scan a mask was drawn on.
    """

    entities: Mapping[str, str]
    suffix: str
    within: tuple[str, ...] = ()

    @property
    def is_mask(self) -> bool:
        """Whether it names a mask rather than a scan."""
        return self.suffix in MASK_SUFFIXES

    @property
    def is_of_lesions(self) -> bool:
        """Whether a mask says that it marks lesions (a brain mask does not)."""
        words = (self.entities.get("desc", ""), self.entities.get("label", ""), self.suffix)
        return any("lesion" in word.lower() for word in words) or self.entities.get("label") == "L"

    @property
    def contrast(self) -> str:
        """The project's word for the contrast; empty when the name does not tell."""
        agent = "gadolinium" if "ce" in self.entities else ""
        return next((word for word, parts in _CONTRASTS.items() if parts == (agent, self.suffix)), "")


def parse(stem: str) -> BidsName | None:
    """The parts of a name without its file suffix; None when it is not built the BIDS way."""
    if not stem.startswith("sub-"):
        return None
    *parts, suffix = stem.split("_")
    entities = dict(part.split("-", 1) for part in parts if "-" in part)
    return BidsName(entities, suffix, tuple(part for part in parts if "-" not in part)) if "sub" in entities else None


def scan_name(prefix: str, contrast: str) -> str:
    """The name of a scan without its file suffix.

    :param prefix: subject and session, for instance "sub-01_ses-2".
    :param contrast: the project's word for it, or the suffix itself; other words give the suffix ``UNKNOWN``.
    """
    agent, suffix = _CONTRASTS.get(contrast.lower().removesuffix("w"), ("", UNKNOWN))
    return "_".join([prefix, *([f"ce-{agent}"] if agent else []), suffix])


def label(text: str) -> str:
    """Text as the value of an entity: letters and digits only."""
    return "".join(letter for letter in text if letter.isascii() and letter.isalnum())
