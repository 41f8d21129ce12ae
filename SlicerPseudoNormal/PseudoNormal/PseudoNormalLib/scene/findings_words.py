"""Findings as people read them: one line about all, one row for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PseudoNormalLib.i18n import _
from PseudoNormalLib.scene.case_nodes import CaseNodes, report_of
from PseudoNormalLib.scene.findings import Finding, findings_from_report

WORDS = 1
"""Which of the columns holds words; the others hold numbers."""


def findings_of(case: CaseNodes | None) -> list[Finding]:
    """What the engine found on a case; none where there is no case or no report."""
    report = None if case is None else report_of(case)
    return [] if report is None else findings_from_report(report)


def titles() -> list[str]:
    """Of the columns of :func:`cells`."""
    return [_("No."), _("Place"), _("Volume, ml"), _("Mean z"), _("Peak z"), _("Sure")]


def cells(finding: Finding) -> list[str]:
    """The numbers of a finding."""
    return [
        str(finding.index),
        finding.position,
        f"{finding.volume_ml:.2f}",
        f"{finding.mean_z:+.1f}",
        f"{finding.peak_z:+.1f}",
        "" if finding.confidence is None else f"{100 * finding.confidence:.0f} %",
    ]


def summary(case: CaseNodes | None) -> str:
    """What was found, in one line."""
    report: dict[str, Any] | None = None if case is None else report_of(case)
    if report is None:
        return _("No findings yet: choose a scan and press Generate.")
    findings = findings_from_report(report)
    if not findings:
        return _("Nothing was found. That does not mean that the scan is normal.")
    volume = sum(finding.volume_ml for finding in findings)
    return _("{count} found, {volume} ml in all").format(count=len(findings), volume=f"{volume:.1f}")


def row_after(row: int, by: int, findings: Sequence[Finding]) -> int:
    """Where a step leads, round and round.

    :param row: -1 while none is chosen.
    :param by: 1 for the next, -1 for the previous.
    :returns: -1 where there is none.
    """
    count = len(findings)
    if count == 0:
        return -1
    if row < 0:
        return 0 if by > 0 else count - 1
    return (row + by) % count
