"""Opening files and DICOM folders from the user's computer, by a button or by dropping them onto the page."""

from __future__ import annotations

from PseudoNormalWeb.parts.files.part import FilesPart

__all__ = ["FilesPart"]
