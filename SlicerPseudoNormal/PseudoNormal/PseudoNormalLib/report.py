"""The engine's report of a case for reading: one page that needs nothing else."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PseudoNormalLib.export.atomic import new_file
from PseudoNormalLib.scene.case_nodes import CaseNodes, report_of

if TYPE_CHECKING:
    from PseudoNormalLib.hosts import Host


def keep_page(host: Host, report: Mapping[str, Any], page: bytes) -> Path:
    """Keep a report's page for the session; it shows the patient's scan, so longer only where the user saves it.

    :param report: the engine's report of the same case; the page is found again by it.
    :param page: ``report.html``.
    :returns: the file, to be opened in a browser.
    :raises ExportError: it cannot be written.
    """
    path = _place(host, report)
    with new_file(path) as temporary:
        temporary.write_bytes(page)
    return path


def kept_page(host: Host, case: CaseNodes) -> Path | None:
    """The page of a case's report; None where it has none, or was generated in an earlier session."""
    report = report_of(case)
    path = _place(host, report) if report else None
    return path if path and path.is_file() else None


def pages_folder(host: Host) -> Path:
    """Where the pages are kept."""
    return host.temp_folder / "PseudoNormal reports"


def _place(host: Host, report: Mapping[str, Any]) -> Path:
    """One file for each report: a case that is generated again gets another."""
    content = json.dumps(report, sort_keys=True).encode()
    return pages_folder(host) / f"{hashlib.sha256(content).hexdigest()[:16]}.html"
