"""How soon a case is due, told from what is known when it is added."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# What a finding's confidence counts as when there was nothing to tell it from: as likely right as wrong.
_UNKNOWN = 0.5


def urgency(report: Mapping[str, Any] | None, seed_ml: float | None) -> float | None:
    """A case's priority: what its report says, else what its seed mask does.

    :param seed_ml: volume of the seed mask; None where there is none.
    :returns: ml as :func:`priority_of`; None, which comes last, for a scan that nobody has marked anything in.
    """
    if report is not None:
        return priority_of(report)
    return None if seed_ml is None else seed_ml * (1.0 - _UNKNOWN)


def priority_of(report: Mapping[str, Any]) -> float:
    """How many ml of the seed mask a reviewer can be expected to take away: large and doubtful findings come first.

    ``priority = Σ volume_ml · (1 − confidence)`` over the findings of the report. It needs no model, only what the
    report already says; a finding without a confidence counts as 0.5. Without findings it is 0.

    :param report: the content of ``report.json``.
    :returns: ml, 0 or more.
    """
    return float(sum(entry.get("volume_ml", 0.0) * (1.0 - _confidence(entry)) for entry in report.get("findings", ())))


def _confidence(finding: Mapping[str, Any]) -> float:
    said = finding.get("confidence")
    return _UNKNOWN if said is None else min(max(float(said), 0.0), 1.0)
