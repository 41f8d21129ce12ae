"""Choose a model's thresholds on validation subjects: the gate's three and the lesion threshold."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pseudonormal.evaluate.detection import dice
from pseudonormal.evaluate.metrics import psnr
from pseudonormal.evaluate.simulated import simulated_trials
from pseudonormal.evaluate.subject import Subject
from pseudonormal.lesions.source import LesionSource
from pseudonormal.models.bundle import Calibration, Model
from pseudonormal.recipes.correction import CorrectedFill
from pseudonormal.recipes.detection import lesion_mask, lesion_probability

ADVANTAGES = np.arange(0.5, 1.06, 0.05)
PROMINENCES = np.array([2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 12.0])
CONTRASTS = np.arange(0.05, 0.31, 0.05)  # more than 0.3 is never right for a patient, whatever simulated lesions say
THRESHOLDS = np.arange(0.1, 0.96, 0.05)
SURE = np.array([0.5, 0.6, 0.7, 0.8, 0.9])
MOST_FALSE_ML = 1.0
WORST_LOSS_DB = 0.75  # what any family may lose on average by the gate's choices


@dataclass(frozen=True)
class GateRow:
    """One simulated lesion, restored in both modes.

    :param expected_ratio: see :mod:`pseudonormal.recipes.gate`, as are ``contrast_kept`` and ``prominence``.
    :param gain_db: PSNR of "guided" minus PSNR of "void", inside the lesion.
    """

    family: str
    expected_ratio: float
    contrast_kept: float
    prominence: float
    gain_db: float


def gate_rows(
    model: Model,
    subjects: Iterable[Subject],
    source: LesionSource,
    families: Sequence[str],
    seeds: Sequence[int],
    progress: Callable[[str], None] = lambda _: None,
) -> list[GateRow]:
    """Restore simulated lesions of the families that the model was trained on, in both modes."""
    restorer = CorrectedFill(model, "guided")
    rows = []
    for subject in subjects:
        for trials in simulated_trials(subject, source, families, seeds):
            for trial in trials:
                for look in restorer.looks(trial.image, trial.lesion, trial.foreground):
                    inside = look.inside
                    truth = trial.truth[look.box][inside]
                    assert look.guided is not None
                    views = (look.void, look.guided)
                    errors = [float(((view.normal[inside] - truth) ** 2).mean()) for view in views]
                    gain = psnr(errors[1]) - psnr(errors[0])
                    tests = (look.expected_ratio, look.contrast_kept, look.prominence)
                    rows.append(GateRow(str(trial.labels["family"]), *tests, gain))
        progress(subject.case.case)
    return rows


def choose_gate(rows: Sequence[GateRow], calibration: Calibration) -> Calibration:
    """The thresholds of the largest mean gain among those that cost no family more than ``WORST_LOSS_DB``."""
    families = sorted({row.family for row in rows})
    ratio = np.array([row.expected_ratio for row in rows])
    kept = np.array([row.contrast_kept for row in rows])
    prominence = np.array([row.prominence for row in rows])
    gain = np.array([row.gain_db for row in rows])
    of = [np.array([row.family == family for row in rows]) for family in families]
    best, best_gain = replace(calibration, guided_advantage=0.0), 0.0
    for advantage, contrast, most in itertools.product(ADVANTAGES, CONTRASTS, PROMINENCES):
        won = np.where((ratio < advantage) & (kept < contrast) & (prominence < most), gain, 0.0)
        if min(won[family].mean() for family in of) >= -WORST_LOSS_DB and won.mean() > best_gain:
            best_gain = float(won.mean())
            best = replace(
                calibration,
                guided_advantage=round(float(advantage), 3),
                most_contrast_left=round(float(contrast), 3),
                most_prominence=round(float(most), 3),
            )
    return best


def choose_threshold(
    model: Model, labelled: Sequence[Subject], normal: Sequence[Subject], calibration: Calibration
) -> Calibration:
    """The thresholds (every voxel's, a sure voxel's) of the best mean Dice that find at most 1 ml in normals."""
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
