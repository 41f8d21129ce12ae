"""How well lesions are found: pure functions on masks and score maps of shape (D, H, W)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from pseudonormal.generate.findings import label_components

Mask = NDArray[np.bool_]
Score = NDArray[np.floating]

Segmenter = Callable[[NDArray[np.float32], Mask], Mask]
"""Finds lesions: (image in scaled intensities, foreground) -> lesion mask, all (D, H, W) on the model grid."""


@runtime_checkable
class SureSegmenter(Protocol):
    """A segmenter that also says how sure it is."""

    def probability(self, image: NDArray[np.float32], foreground: Mask) -> NDArray[np.float32]:
        """Lesion probability in [0, 1], (D, H, W)."""
        ...

    def mask(self, probability: NDArray[np.float32]) -> Mask:
        """The lesions of such a probability: what the segmenter itself returns."""
        ...


def dice(found: Mask, truth: Mask) -> float:
    """``2 |A and B| / (|A| + |B|)``; 1 when both are empty."""
    total = int(found.sum()) + int(truth.sum())
    return 2.0 * int((found & truth).sum()) / total if total else 1.0


def lesionwise(found: Mask, truth: Mask) -> dict[str, float]:
    """Lesions counted as wholes; two lesions match when they share a voxel.

    :returns: ``lesion_recall`` (true lesions that were found), ``lesion_precision`` (found lesions that are true) and
        their harmonic mean ``lesion_f1``; nan where there is nothing to count.
    """
    true_labels, true_count = label_components(truth)
    found_labels, found_count = label_components(found)
    hits = len(np.unique(true_labels[found & truth]))
    right = len(np.unique(found_labels[found & truth]))
    recall = hits / true_count if true_count else float("nan")
    precision = right / found_count if found_count else float("nan")
    if not true_count and not found_count:
        f1 = float("nan")
    else:
        f1 = 2 * recall * precision / (recall + precision) if hits else 0.0
    return {"lesion_recall": recall, "lesion_precision": precision, "lesion_f1": f1}


def false_positive_ml(found: Mask, truth: Mask, voxel_ml: float = 0.001) -> float:
    """Volume found outside the true lesions, in ml.

    :param voxel_ml: volume of a voxel in ml; 1 mm voxels when not given.
    """
    return float((found & ~truth).sum()) * voxel_ml


def healthiness(segment: Segmenter, output: NDArray[np.float32], image: NDArray[np.float32], foreground: Mask) -> float:
    """``1 - V(output) / V(image)`` with V the lesion volume that an independent segmenter finds (Xia et al. 2020).

    :returns: 1 when no lesion is seen any more; nan when none was seen in the image.
    """
    before = int(segment(image, foreground).sum())
    return 1.0 - int(segment(output, foreground).sum()) / before if before else float("nan")


def average_precision(score: Score, truth: Mask, within: Mask) -> float:
    """Area under the precision-recall curve: ``sum (R_n - R_(n-1)) P_n`` over the distinct scores.

    :param within: (D, H, W) voxels that count (the foreground).
    :returns: nan when no true voxel counts.
    """
    scores, positive = score[within], truth[within]
    total = int(positive.sum())
    if not total:
        return float("nan")
    order = np.argsort(-scores, kind="stable")
    scores, hits = scores[order], np.cumsum(positive[order])
    last_of_equals = np.append(np.flatnonzero(np.diff(scores)), len(scores) - 1)
    precision = hits[last_of_equals] / (last_of_equals + 1)
    recall = hits[last_of_equals] / total
    return float(np.sum(np.diff(recall, prepend=0.0) * precision))


def best_threshold(dice_of_subjects: Sequence[NDArray[np.floating]], thresholds: NDArray[np.floating]) -> float:
    """The threshold with the highest Dice, averaged over validation subjects.

    :param dice_of_subjects: for each validation subject its ``dice_curve`` over ``thresholds``.
    :raises ValueError: when there is no validation subject: a threshold must not be chosen on test subjects.
    """
    if not len(dice_of_subjects):
        raise ValueError("a threshold can only be chosen on validation subjects")
    return float(thresholds[int(np.argmax(np.mean(dice_of_subjects, axis=0)))])


def dice_curve(score: Score, truth: Mask, within: Mask, thresholds: NDArray[np.floating]) -> NDArray[np.float64]:
    """Dice of ``score >= t`` against the truth, for each threshold ``t``."""
    scores, positive = score[within], truth[within]
    total = int(positive.sum())
    all_sorted, true_sorted = np.sort(scores), np.sort(scores[positive])
    found = len(all_sorted) - np.searchsorted(all_sorted, thresholds)
    right = len(true_sorted) - np.searchsorted(true_sorted, thresholds)
    return 2.0 * right / np.maximum(found + total, 1)
