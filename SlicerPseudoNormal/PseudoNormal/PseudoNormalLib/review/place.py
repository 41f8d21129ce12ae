"""Where an annotator stands in a case: goes with every draft, so that one resumes exactly there."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np

from PseudoNormalLib.review.decisions import Anchor, Decision

COMMENT_LENGTH = 2000
"""The longest comment that the store takes: enough for what was said about some 250 findings."""
_LETTERS = {Decision.ACCEPTED: "a", Decision.KEPT: "k"}
_SAID = {letter: decision for decision, letter in _LETTERS.items()}


@dataclass(frozen=True)
class Place:
    """Where one stands in a case.

    :param sitting: names the time during which the case was open, see :class:`PseudoNormalLib.review.journal.Entry`.
    :param finding: number of the finding that was shown, 0 for none.
    :param position: what the views were centred on, RAS mm; None when that is not known.
    :param decisions: what was said about findings, see :mod:`PseudoNormalLib.review.decisions`.
    """

    sitting: str
    finding: int = 0
    position: tuple[float, float, float] | None = None
    decisions: tuple[Anchor, ...] = ()


def to_comment(place: Place) -> str:
    """The place as the comment of a draft revision: one line of JSON.

    Decisions that find no room, the smallest findings', are left out.
    """
    position = place.position and [round(mm, 2) for mm in place.position]
    told = {"sitting": place.sitting, "finding": place.finding, "position": position}
    words = [_LETTERS[said] + np.base_repr(voxel, 36) for voxel, said in place.decisions]
    while True:
        comment = json.dumps({"place": told | {"decisions": " ".join(words)}}, separators=(",", ":"))
        if len(comment) <= COMMENT_LENGTH:
            return comment
        words.pop()


def from_comment(comment: str) -> Place | None:
    """The place that a draft's comment tells; None when it is a comment of another kind."""
    try:
        told = json.loads(comment)["place"]
        position = told["position"]
        return Place(
            sitting=str(told["sitting"]),
            finding=int(told["finding"]),
            position=None if position is None else (float(position[0]), float(position[1]), float(position[2])),
            decisions=tuple((int(word[1:], 36), _SAID[word[0]]) for word in told["decisions"].split()),
        )
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        return None
