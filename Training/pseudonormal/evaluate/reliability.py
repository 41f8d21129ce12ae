"""How far a lesion probability can be believed: calibration error, and the temperature that lowers it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import expit, logit

from pseudonormal.generate.findings import label_components

BINS = 15
FAINTEST = 1e-6  # probabilities nearer to 0 or 1 than this count as this: float32 cannot tell them apart near 1
TEMPERATURES = (0.2, 5.0)


@dataclass(frozen=True)
class Reliability:
    """What was said and what was true, in bins of equal width of the probability; every array (BINS,).

    :param count: how many were said to be about this likely.
    :param said: sum of their probabilities.
    :param true: how many of them were true.
    """

    count: NDArray[np.float64]
    said: NDArray[np.float64]
    true: NDArray[np.float64]

    @classmethod
    def of(cls, probability: NDArray[np.floating], truth: NDArray[np.bool_]) -> Reliability:
        """Sort probabilities into bins.

        :param probability: (N,) or any shape, of being true.
        :param truth: of the same shape.
        """
        values = np.clip(probability.ravel().astype(np.float64), 0.0, 1.0)
        place = np.minimum((values * BINS).astype(np.intp), BINS - 1)
        count, said, true = (
            np.bincount(place, weights, BINS).astype(np.float64)
            for weights in (None, values, truth.ravel().astype(np.float64))
        )
        return cls(count, said, true)

    @classmethod
    def pooled(cls, parts: Iterable[Reliability]) -> Reliability:
        """All of them counted together; nothing counted where there is none."""
        kept = list(parts)
        if not kept:
            return cls.of(np.empty(0), np.empty(0, bool))
        return cls(*(np.sum([getattr(part, name) for part in kept], axis=0) for name in ("count", "said", "true")))

    @property
    def error(self) -> float:
        """Expected calibration error (Naeini et al. 2015): ``sum_b n_b / n |share true_b - mean probability_b|``.

        :returns: 0 for perfect, at most 1; nan when nothing was counted.
        """
        total = self.count.sum()
        return float(np.abs(self.true - self.said).sum() / total) if total else float("nan")

    def as_lists(self) -> dict[str, list[float]]:
        """For JSON; :meth:`from_lists` reads it."""
        return {"count": self.count.tolist(), "said": self.said.tolist(), "true": self.true.tolist()}

    @classmethod
    def from_lists(cls, lists: object) -> Reliability:
        """What :meth:`as_lists` wrote."""
        assert isinstance(lists, dict)
        return cls(*(np.asarray(lists[name], np.float64) for name in ("count", "said", "true")))


def of_findings(
    probability: NDArray[np.floating], found: NDArray[np.bool_], truth: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Each finding's mean probability, and whether it touches a true lesion (as ``detection.lesionwise`` counts).

    The mean probability is what the mask gives to a finding's confidence (see ``generate.findings.find``); the
    restoration's factor is left out, for here nothing is restored.

    :param probability: (D, H, W) lesion probability.
    :param found: (D, H, W) the mask that was made of it.
    :param truth: (D, H, W).
    :returns: (N,) and (N,) for N findings.
    """
    labels, count = label_components(found)
    if not count:
        return np.empty(0), np.empty(0, bool)
    inside = labels[found]
    total = np.bincount(inside, minlength=count + 1)[1:]
    mean = np.bincount(inside, probability[found].astype(np.float64), count + 1)[1:] / total
    return mean, np.bincount(inside, truth[found], count + 1)[1:] > 0


def tempered(probability: NDArray[np.floating], temperature: float) -> NDArray[np.float64]:
    """``sigmoid(logit(p) / T)`` (Guo et al. 2017): a temperature above 1 makes probabilities less sure.

    :param probability: any shape.
    """
    return np.asarray(expit(_logits(probability) / temperature), np.float64)


def best_temperature(answers: Sequence[tuple[NDArray[np.floating], NDArray[np.bool_]]]) -> float:
    """The temperature of the greatest likelihood, every subject weighing the same.

    Minimises the mean over subjects of ``mean(log(1 + exp(z / T)) - y z / T)`` with ``z = logit(p)``, over
    ``TEMPERATURES``; the same answers always give the same temperature.

    :param answers: for each subject (N,) probabilities of its brain's voxels and (N,) what is true there.
    :raises ValueError: there is no subject: a temperature must not be chosen on test subjects.
    """
    if not answers:
        raise ValueError("a temperature can only be chosen on validation subjects")
    logits = [(_logits(probability).ravel(), truth.ravel()) for probability, truth in answers]

    def surprise(log_temperature: float) -> float:
        scale = np.exp(-log_temperature)
        return float(np.mean([(np.logaddexp(0.0, z * scale) - np.where(y, z * scale, 0.0)).mean() for z, y in logits]))

    least, most = np.log(TEMPERATURES)
    found = minimize_scalar(surprise, bounds=(least, most), method="bounded", options={"xatol": 1e-3})
    return round(float(np.exp(found.x)), 3)


def _logits(probability: NDArray[np.floating]) -> NDArray[np.float64]:
    return np.asarray(logit(np.clip(probability.astype(np.float64), FAINTEST, 1 - FAINTEST)), np.float64)
