"""Cases, findings and revisions as rows of words."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from PseudoNormalLib.i18n import _
from PseudoNormalLib.review.decisions import Decision

if TYPE_CHECKING:
    from PseudoNormalLib.engine.replies import CaseInfo, RevisionInfo
    from PseudoNormalLib.scene.findings import Finding


def in_words(status: str) -> str:
    """A case's or revision's state, as people say it."""
    words = {
        "new": _("New"),
        "seed": _("Seed"),
        "draft": _("Draft"),
        "accepted": _("Accepted"),
        "needs_second_reader": _("Second reader"),
        "rejected": _("Rejected"),
        "consensus": _("Consensus"),
        "synthetic": _("SYNTHETIC"),
    }
    return words.get(status, status)


def case_titles() -> list[str]:
    """What stands above :func:`case_cells`."""
    return [_("Case"), _("Status"), _("Priority"), _("Findings"), _("ml"), _("Contrast"), _("With")]


def case_cells(case: CaseInfo) -> list[str]:
    """A case of the worklist."""
    return [
        case.id,
        in_words(case.status),
        "" if case.priority is None else f"{case.priority:.4g}",
        str(case.findings),
        "" if case.volume_ml is None else f"{case.volume_ml:.1f}",
        case.contrast or "",
        case.leased_by or "",
    ]


def finding_titles() -> list[str]:
    """What stands above :func:`finding_cells`."""
    return [_("No."), _("Place"), _("ml"), _("Peak z"), _("Said")]


def finding_cells(finding: Finding, decision: Decision) -> list[str]:
    """A finding and what was said about it."""
    said = {Decision.OPEN: "", Decision.ACCEPTED: _("accepted"), Decision.KEPT: _("kept")}
    return [
        str(finding.index),
        finding.position,
        f"{finding.volume_ml:.2f}",
        f"{finding.peak_z:+.1f}",
        said[decision],
    ]


def revision_titles() -> list[str]:
    """What stands above :func:`revision_cells`."""
    return [_("No."), _("State"), _("By"), _("When")]


def revision_cells(revision: RevisionInfo) -> list[str]:
    """A revision of the open case; times are those of this computer."""
    # Python before 3.11 does not read the Z that stands for UTC.
    created = datetime.fromisoformat(revision.created.replace("Z", "+00:00")).astimezone()
    return [str(revision.number), in_words(revision.state), revision.author, created.strftime("%Y-%m-%d %H:%M")]
