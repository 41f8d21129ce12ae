"""The stages of one scan's way and their limits. Imports nothing: commands answer before the slow libraries load."""

from __future__ import annotations

# Roughly how the time of a case divides over its stages; only the bar depends on it.
SHARES = {"read": 0.05, "foreground": 0.1, "lesions": 0.35, "restore": 0.3, "compare": 0.1, "write": 0.1}


MOST_REACH_MM = 20.0
"""Further beyond a mask than this a restoration knows little of what it restores."""


def share_before(stage: str) -> float:
    """The share of a case's time that has gone when a stage begins."""
    stages = list(SHARES)
    return sum(SHARES[name] for name in stages[: stages.index(stage)])
