"""Means with confidence intervals over subjects, the unit that was sampled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """A mean over subjects and its 95 % confidence interval.

    :param mean: mean of the subjects' means, so that every subject weighs the same.
    :param low: lower end; nan with fewer than two subjects.
    :param high: upper end; nan with fewer than two subjects.
    :param subjects: how many subjects.
    :param values: how many values.
    """

    mean: float
    low: float
    high: float
    subjects: int
    values: int


def bootstrap_mean(
    values: Sequence[float], subjects: Sequence[str], *, resamples: int = 2000, seed: int = 0
) -> Interval:
    """Percentile bootstrap of the mean over subjects (Efron 1979); whole subjects are drawn with replacement.

    Values of one subject depend on each other, so drawing single values would give too narrow an interval. Values
    that are nan are left out.

    :param values: (N,) numbers.
    :param subjects: (N,) the subject of each number.
    :raises ValueError: when the two differ in length.
    """
    if len(values) != len(subjects):
        raise ValueError(f"{len(values)} values for {len(subjects)} subjects")
    of_subject: dict[str, list[float]] = {}
    for value, subject in zip(values, subjects, strict=True):
        if np.isfinite(value):
            of_subject.setdefault(subject, []).append(float(value))
    count = sum(len(group) for group in of_subject.values())
    if not of_subject:
        return Interval(float("nan"), float("nan"), float("nan"), 0, 0)
    # Sorted by name, so that the order of the rows does not matter to the seeded draw.
    means = np.array([np.mean(of_subject[name]) for name in sorted(of_subject)])
    if len(means) == 1:
        return Interval(float(means[0]), float("nan"), float("nan"), 1, count)
    drawn = np.random.default_rng(seed).integers(0, len(means), size=(resamples, len(means)))
    tail = 50.0 * (1.0 - LEVEL)
    low, high = np.percentile(means[drawn].mean(axis=1), [tail, 100.0 - tail])
    return Interval(float(means.mean()), float(low), float(high), len(means), count)


def paired_difference(
    first: Sequence[float], second: Sequence[float], subjects: Sequence[str], *, resamples: int = 2000, seed: int = 0
) -> Interval:
    """``bootstrap_mean`` of ``first - second``, value by value.

    :raises ValueError: when the lengths differ.
    """
    if len(first) != len(second):
        raise ValueError(f"{len(first)} values cannot be paired with {len(second)}")
    difference = [float(a) - float(b) for a, b in zip(first, second, strict=True)]
    return bootstrap_mean(difference, subjects, resamples=resamples, seed=seed)
