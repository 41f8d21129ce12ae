"""What the annotator said about each finding, kept while findings are renumbered by edits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum

import numpy as np


class Decision(str, Enum):
    """What the annotator said about a finding that is still in the mask; a rejected one has left it."""

    OPEN = "open"
    ACCEPTED = "accepted"
    KEPT = "kept"


Anchor = tuple[int, Decision]
"""The number (in array order) of a finding's first voxel and the decision about it: how decisions outlive a session."""


def carry_over(decisions: Mapping[int, Decision], before: np.ndarray, after: np.ndarray) -> dict[int, Decision]:
    """Decisions for the findings after an edit: each inherits from the earlier finding it shares most voxels with.

    :param decisions: by finding number; findings without one are open.
    :param before: (D, H, W) int finding numbers before the edit, 0 elsewhere.
    :param after: (D, H, W) the same after it.
    :returns: the decisions that are not open, by the new number.
    """
    both = (before > 0) & (after > 0)
    numbers = int(before.max(initial=0)) + 1
    pairs, counts = np.unique(after[both].astype(np.int64) * numbers + before[both], return_counts=True)
    most: dict[int, tuple[int, int]] = {}
    for pair, count in zip(pairs.tolist(), counts.tolist(), strict=True):
        new, old = divmod(pair, numbers)
        if count > most.get(new, (0, 0))[0]:
            most[new] = (count, old)
    inherited = {new: decisions.get(old, Decision.OPEN) for new, (_, old) in most.items()}
    return {new: decision for new, decision in inherited.items() if decision is not Decision.OPEN}


def anchors(decisions: Mapping[int, Decision], labels: np.ndarray) -> tuple[Anchor, ...]:
    """Decisions tied to voxels instead of numbers.

    :param labels: (D, H, W) int finding numbers.
    """
    if not decisions:
        return ()
    voxels = np.flatnonzero(labels)
    numbers, first = np.unique(labels.ravel()[voxels], return_index=True)
    return tuple(
        (voxel, decisions[number])
        for number, voxel in zip(numbers.tolist(), voxels[first].tolist(), strict=True)
        if decisions.get(number, Decision.OPEN) is not Decision.OPEN
    )


def from_anchors(found: Iterable[Anchor], labels: np.ndarray) -> dict[int, Decision]:
    """The way back of :func:`anchors`; anchors outside every finding are left out."""
    flat = labels.ravel()
    return {int(flat[voxel]): said for voxel, said in found if voxel < flat.size and flat[voxel]}
