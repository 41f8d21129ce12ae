"""Choose a model's numbers on validation subjects: how answers are fused, its temperature, the lesion threshold."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pseudonormal.evaluate.detection import dice
from pseudonormal.evaluate.metrics import psnr
from pseudonormal.evaluate.reliability import Reliability, best_temperature, tempered
from pseudonormal.evaluate.simulated import simulated_trials
from pseudonormal.evaluate.subject import Subject
from pseudonormal.lesions.source import LesionSource
from pseudonormal.models.bundle import Calibration, Model
from pseudonormal.recipes.correction import CorrectedFill
from pseudonormal.recipes.detection import lesion_mask, lesion_probability
from pseudonormal.recipes.fusion import share_of, start_share

REACHES = (0.0, 0.5, 0.7, 1.0, 1.4, 2.0, 3.0)
SHARES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.6)
THRESHOLDS = np.arange(0.1, 0.96, 0.05)
SURE = np.array([0.5, 0.6, 0.7, 0.8, 0.9])
MOST_FALSE_ML = 1.0
WORST_LOSS_DB = 0.5  # what any family may lose on average against "void"


@dataclass(frozen=True)
class FusionRow:
    """One simulated lesion, restored in both modes.

    :param stray: see :class:`pseudonormal.recipes.fusion.Look`, as is ``volume_ml``.
    :param products: (3, 3) mean products of the errors of "void", "guided" and the classical fill inside the lesion:
        the squared error of any mixture ``w`` of the three is ``w @ products @ w``.
    """

    family: str
    stray: float
    volume_ml: float
    products: NDArray[np.float64]

    def gain_db(self, reach: float, share: float) -> float:
        """PSNR of the fused lesion minus that of "void"."""
        guided, start = share_of(self.stray, reach), start_share(self.volume_ml, share)
        weights = np.array([(1 - start) * (1 - guided), (1 - start) * guided, start])
        return psnr(float(weights @ self.products @ weights)) - psnr(float(self.products[0, 0]))


def fusion_rows(
    model: Model,
    subjects: Iterable[Subject],
    source: LesionSource,
    families: Sequence[str],
    seeds: Sequence[int],
    progress: Callable[[str], None] = lambda _: None,
) -> list[FusionRow]:
    """Restore simulated lesions of these families in both modes."""
    restorer = CorrectedFill(model, "guided")
    rows = []
    for subject in subjects:
        for trials in simulated_trials(subject, source, families, seeds):
            for trial in trials:
                for look in restorer.looks(trial.image, trial.lesion, trial.foreground):
                    truth = trial.truth[look.box]
                    assert look.guided is not None
                    views = (look.void.normal, look.guided.normal, look.start)
                    errors = np.stack([(view - truth)[look.inside].astype(np.float64) for view in views])
                    products = errors @ errors.T / errors.shape[1]
                    rows.append(FusionRow(str(trial.labels["family"]), look.stray, look.volume_ml, products))
        progress(subject.case.case)
    return rows


def choose_fusion(rows: Sequence[FusionRow], calibration: Calibration) -> Calibration:
    """The reach and share of the largest mean gain among those that cost no family more than ``WORST_LOSS_DB``."""
    families = sorted({row.family for row in rows})
    of = [np.array([row.family == family for row in rows]) for family in families]
    best, best_gain = replace(calibration, guided_reach=0.0, start_share=0.0), 0.0
    for reach, share in itertools.product(REACHES, SHARES):
        gain = np.array([row.gain_db(reach, share) for row in rows])
        if min(gain[family].mean() for family in of) >= -WORST_LOSS_DB and gain.mean() > best_gain:
            best_gain = float(gain.mean())
            best = replace(calibration, guided_reach=reach, start_share=share)
    return best


@dataclass(frozen=True)
class Tempering:
    """A temperature, and the brain's voxels before and after it, all validation subjects counted together."""

    temperature: float
    before: Reliability
    after: Reliability


def choose_temperature(model: Model, labelled: Sequence[Subject], normal: Sequence[Subject]) -> Tempering:
    """The temperature at which the lesion probability explains the drawn masks best, see ``best_temperature``.

    :raises ValueError: no labelled subject: normal ones alone would make any temperature look too high.
    """
    if not labelled:
        raise ValueError("a temperature can only be chosen on labelled validation subjects")
    plain = replace(model, calibration=replace(model.calibration, temperature=1.0))
    answers = [
        (lesion_probability(subject.raw, subject.foreground, plain)[subject.foreground], _truth(subject))
        for subject in (*labelled, *normal)
    ]
    temperature = best_temperature(answers)
    before = Reliability.pooled(Reliability.of(*answer) for answer in answers)
    after = Reliability.pooled(Reliability.of(tempered(said, temperature), truth) for said, truth in answers)
    return Tempering(temperature, before, after)


def _truth(subject: Subject) -> NDArray[np.bool_]:
    return subject.lesion[subject.foreground]


def choose_threshold(
    model: Model, labelled: Sequence[Subject], normal: Sequence[Subject], calibration: Calibration
) -> Calibration:
    """The thresholds (every voxel's, a sure voxel's) of the best mean Dice that find at most 1 ml in normals.

    :param calibration: its temperature counts already.
    """
    model = replace(model, calibration=calibration)
    pairs = [
        replace(calibration, lesion_threshold=round(float(low), 3), sure_probability=float(sure))
        for low, sure in itertools.product(THRESHOLDS, SURE)
    ]
    scores = np.zeros(len(pairs))
    for subject in (*labelled, *normal):
        probability = lesion_probability(subject.raw, subject.foreground, model)
        masks = (lesion_mask(probability, pair) for pair in pairs)
        if subject.lesion.any():
            scores += [dice(mask, subject.lesion) for mask in masks]
        else:
            scores -= [1e3 * (mask.sum() > 1000 * MOST_FALSE_ML) for mask in masks]
    return pairs[int(np.argmax(scores))]
