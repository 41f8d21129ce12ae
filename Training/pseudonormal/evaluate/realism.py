"""MM-FID and MM-STD: how true and how various synthetic images are, by several features at several resolutions.

Xing 2023 (arXiv 2303.12747). The authors divide each row of one generator's table by its own length, which makes the
mean nearly the same for every generator; see :func:`row_normalised`. Here every entry is divided by what real images
give for the same features, so that generators can be compared.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from pseudonormal.errors import InputError
from pseudonormal.evaluate.bootstrap import LEVEL

Features = Mapping[tuple[str, int], NDArray[np.float64]]
"""(N, d) features by extractor and resolution."""

SPLITS = 20
RESAMPLES = 200
LEAST_PER_FEATURE = 2  # images on each side for each feature: a covariance of fewer is guesswork


@dataclass(frozen=True)
class Score:
    """A generator's mean over extractors and resolutions, and its 95 % bootstrap interval.

    :param entries: by extractor and resolution, divided by what real images give.
    :param raw: the same before that.
    """

    value: float
    low: float
    high: float
    entries: dict[tuple[str, int], float]
    raw: dict[tuple[str, int], float]


@dataclass(frozen=True)
class Realism:
    """All generators against the same real images.

    :param floor: raw FID of one half of the real images against the other, by extractor and resolution.
    :param spread: raw STD of the real images.
    :param count: images on each side of every comparison.
    """

    fid: dict[str, Score]
    std: dict[str, Score]
    floor: dict[tuple[str, int], float]
    spread: dict[tuple[str, int], float]
    count: int


def frechet(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Fréchet distance of two normal distributions: ``|m - m'|² + tr(C + C' - 2 (C C')^½)``.

    :param first: (N, d) features; second likewise.
    """
    covariances = [np.atleast_2d(np.cov(one, rowvar=False)) for one in (first, second)]
    # (C C')^½ has the roots of the eigenvalues of C C', which are real and not negative
    roots = np.sqrt(np.clip(np.linalg.eigvals(covariances[0] @ covariances[1]).real, 0, None))
    apart = first.mean(0) - second.mean(0)
    return float(apart @ apart + np.trace(covariances[0]) + np.trace(covariances[1]) - 2 * roots.sum())


def variety(features: NDArray[np.float64]) -> float:
    """Standard deviation over images, mean over features."""
    return float(features.std(0).mean())


def realism(real: Features, generators: Mapping[str, Features], *, seed: int = 0) -> Realism:
    """MM-FID and MM-STD of generators.

    Every FID compares equally many images, for fewer give a greater one: half of the real images with the other half
    (the floor), or with so many synthetic ones; means over random choices of both. Intervals are over images that are
    drawn with replacement, around the mean without: drawing some twice alone makes distances greater. The floor is held
    fixed.

    :param real: features of real images; all have equally many.
    :raises InputError: too few real or synthetic images for features of so many numbers.
    """
    count = _count(real, generators)
    rng = np.random.default_rng(seed)
    draws = [_Draw.of(real, generators, count, rng, replace=False) for _ in range(SPLITS)]
    again = [_Draw.of(real, generators, count, rng, replace=True) for _ in range(RESAMPLES)]
    floor = {key: float(np.mean([draw.floor[key] for draw in draws])) for key in real}
    spread = {key: variety(real[key]) for key in real}
    fid, std = {}, {}
    for name, features in generators.items():
        raw = {key: float(np.mean([draw.fid[name][key] for draw in draws])) for key in real}
        fid[name] = _score(raw, floor, [_ratio(draw.fid[name], floor) for draw in again])
        raw = {key: variety(features[key]) for key in real}
        std[name] = _score(raw, spread, [_ratio(draw.std[name], spread) for draw in again])
    return Realism(fid, std, floor, spread, count)


def row_normalised(raw: Mapping[tuple[str, int], float]) -> float:
    """The authors' MM score of one generator: the mean of rows over resolutions, each divided by its length.

    A row of length 1 over four resolutions has a mean between 0.25 and 0.5 whatever the generator is: this cannot rank
    generators, and stands here to be compared with what is published.

    :param raw: FID or STD by extractor and resolution.
    """
    rows: dict[str, list[float]] = {}
    for (name, _), value in raw.items():
        rows.setdefault(name, []).append(value)
    return float(np.mean([np.mean(np.array(row) / max(float(np.linalg.norm(row)), 1e-12)) for row in rows.values()]))


@dataclass(frozen=True)
class _Draw:
    """One random choice of images."""

    floor: dict[tuple[str, int], float]
    fid: dict[str, dict[tuple[str, int], float]]
    std: dict[str, dict[tuple[str, int], float]]

    @staticmethod
    def of(real: Features, generators: Mapping[str, Features], count: int, rng: Generator, *, replace: bool) -> _Draw:
        order = rng.permutation(_length(real))
        pick: Callable[[NDArray], NDArray] = lambda places: rng.choice(places, count) if replace else places[:count]  # noqa: E731
        halves = pick(order[:count]), pick(order[count : 2 * count])
        chosen = {name: pick(rng.permutation(_length(features))) for name, features in generators.items()}
        return _Draw(
            {key: frechet(real[key][halves[0]], real[key][halves[1]]) for key in real},
            {
                name: {key: frechet(features[key][chosen[name]], real[key][halves[1]]) for key in real}
                for name, features in generators.items()
            },
            {
                name: {key: variety(features[key][chosen[name]]) for key in real}
                for name, features in generators.items()
            },
        )


def _count(real: Features, generators: Mapping[str, Features]) -> int:
    widest = max(features.shape[1] for features in real.values())
    least = LEAST_PER_FEATURE * widest
    if _length(real) < 2 * least:
        raise InputError(
            f"{_length(real)} real slices are too few to compare features of {widest} numbers: list real scans with "
            f"{2 * least} slices together at least"
        )
    for name, features in generators.items():
        if _length(features) < least:
            raise InputError(
                f"{name}: {_length(features)} synthetic slices are too few to compare features of {widest} numbers: "
                f"synthesize {least} at least"
            )
    return min([_length(real) // 2, *(_length(features) for features in generators.values())])


def _length(features: Features) -> int:
    return len(next(iter(features.values())))


def _ratio(raw: Mapping[tuple[str, int], float], real: Mapping[tuple[str, int], float]) -> float:
    return float(np.mean([raw[key] / max(real[key], 1e-12) for key in raw]))


def _score(raw: dict[tuple[str, int], float], real: Mapping[tuple[str, int], float], resampled: list[float]) -> Score:
    entries = {key: raw[key] / max(real[key], 1e-12) for key in raw}
    tail = 50.0 * (1.0 - LEVEL)
    value = float(np.mean(list(entries.values())))
    low, high = value + np.percentile(resampled, [tail, 100.0 - tail]) - np.mean(resampled)
    return Score(value, max(0.0, float(low)), float(high), entries, raw)
