"""How much there is to correct in a case, told from what is known when it is added."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# What a finding's confidence counts as when there was nothing to tell it from: as likely right as wrong.
_UNKNOWN = 0.5
# Share of a finding that needs correcting however sure the model is: its border.
_BORDER = 0.05


def urgency(report: Mapping[str, Any] | None, seed_ml: float | None, doubted_ml: float | None = None) -> float | None:
    """A case's priority: what its report says, else what its seed mask and that mask's weights do.

    :param seed_ml: volume of the seed mask; None where there is none.
    :param doubted_ml: what its weights let expect to be wrong; None where it came without weights.
    :returns: ml as :func:`priority_of`; None, which comes last, for a scan that nobody has marked anything in.
    """
    if report is not None:
        return priority_of(report)
    if seed_ml is None:
        return None
    wrong = _UNKNOWN * seed_ml if doubted_ml is None else doubted_ml
    return wrong + _BORDER * seed_ml


def priority_of(report: Mapping[str, Any]) -> float:
    """How many ml of the seed mask a reviewer can be expected to change: uncertain and large findings come first.

    ``priority = u + 0.05 · Σ volume_ml``, where ``u`` is what the model expects to be wrong: ``uncertain_ml``, which is
    Σ min(p, 1 − p) over voxels, of all findings and of the brain outside them, so that what was missed counts too.
    Where the report lacks it, a finding counts as ``volume_ml · (1 − confidence)``, 0.5 for a confidence not known.

    :param report: the content of ``report.json``.
    :returns: ml, 0 or more; 0 where the report says nothing of this.
    """
    findings = report.get("findings", ())
    elsewhere = (report.get("brain") or {}).get("uncertain_ml") or 0.0
    return float(elsewhere + sum(_uncertain(entry) + _BORDER * entry.get("volume_ml", 0.0) for entry in findings))


def _uncertain(finding: Mapping[str, Any]) -> float:
    measured = finding.get("uncertain_ml")
    if measured is not None:
        return float(measured)
    said = finding.get("confidence")
    confidence = _UNKNOWN if said is None else min(max(float(said), 0.0), 1.0)
    return float(finding.get("volume_ml", 0.0)) * (1.0 - confidence)
