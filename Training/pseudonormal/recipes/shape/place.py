"""Where the object usually lies, as auxiliary masks tell it.

In scans that are brought into one frame an organ lies in about the same place. A judge of shapes hardly sees that a
plausible mask lies where none ever does, or leaves out what every mask has; the mean of many masks tells it. It is
wrong otherwise than a generator is: alike in all scans, whatever they show. So where both agree a label can be trusted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pseudonormal.recipes.shape.labelling import Label, cleaned
from pseudonormal.recipes.shape.material import Framed

ALIKE = 0.75  # mean Dice of auxiliary masks with their mean, below which place tells too little
HEARD = 2.0  # weight of place, where a label's probability has 1
FOUND_THERE = 0.6  # mean Dice of pseudo-labels with it, below which scans do not lie in the frame as the masks do


def as_placed(
    scans: Sequence[Framed], labels: Sequence[Label], known: Sequence[NDArray[np.bool_]], *, one_piece: bool
) -> list[Label]:
    """Labels that are only as sure as place agrees: ``(p + 2 often) / 3`` instead of each probability p.

    "often" is the mean of known masks. Where they, or they and the labels, lie too differently for place to tell
    anything, labels stay as they are.

    :param scans: that are learnt from, whole volumes; labels likewise.
    :param known: auxiliary masks in the frame, (D, H, W) each; at least one.
    """
    often: NDArray[np.float32] = np.mean(known, axis=0, dtype=np.float32)
    if not lie_alike(known) or _overlap([one.mask for one in labels], often) < FOUND_THERE:
        return list(labels)
    placed = []
    for scan, one in zip(scans, labels, strict=True):
        probability = ((one.probability + HEARD * often) / (1 + HEARD) * scan.region).astype(np.float32)
        mask = cleaned(probability >= 0.5, dimensions=3, one_piece=one_piece)
        placed.append(replace(one, probability=probability, mask=mask))
    return placed


def lie_alike(known: Sequence[NDArray[np.bool_]]) -> bool:
    """Whether auxiliary masks lie so much alike that their place tells something.

    :param known: in the frame, (H, W) or (D, H, W) each.
    """
    often: NDArray[np.float32] = np.mean(known, axis=0, dtype=np.float32)
    return _overlap(known, often) >= ALIKE


def _overlap(masks: Sequence[NDArray[np.bool_]], often: NDArray[np.float32]) -> float:
    """Mean Dice with what is marked more often than not."""
    middle: NDArray[np.bool_] = often >= 0.5
    inside = int(middle.sum())
    return float(np.mean([2 * int((mask & middle).sum()) / max(1, int(mask.sum()) + inside) for mask in masks]))
