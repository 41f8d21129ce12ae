"""A model on the frozen evaluation cases, and two models against each other on the same ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pseudonormal.cases import Case
from pseudonormal.evaluate.bootstrap import bootstrap_mean, paired_difference
from pseudonormal.evaluate.detection import dice, false_positive_ml
from pseudonormal.evaluate.metrics import psnr
from pseudonormal.evaluate.rows import Row, RowStore, digest, number
from pseudonormal.evaluate.simulated import Trial, simulated_trials
from pseudonormal.evaluate.subject import Subject, load_subject
from pseudonormal.lesions.shapes import SmoothBlob
from pseudonormal.lesions.source import LesionSource
from pseudonormal.models.bundle import Model
from pseudonormal.models.comparison import FEWEST_SUBJECTS, Comparison, Difference
from pseudonormal.recipes.correction import CorrectedFill
from pseudonormal.recipes.detection import LesionFinder
from pseudonormal.scan.conform import conform, mask_to_model
from pseudonormal.scan.reading import read_scan
from pseudonormal.training.references import FindForeground

METRICS = ("dice", "psnr_db")  # more is better; these decide
FAMILIES = ("additive_bright", "opaque", "replacing")  # signal added, signal replaced, another tissue's signal
_VERSION = "1"  # raise it when a metric's definition changes: numbers of before are not compared any more


class Judge:
    """The evaluation cases, each read once for all models.

    Dice is measured on the whole brain, without what a reviewer marked not to be trusted; PSNR inside lesions that are
    simulated in normal tissue, of three sizes and three families, the same for every model.

    :param cases: labelled and normal ones.
    :param foreground_of: finds the brain, the same for all models.
    :param rows: keeps each result, so that an interrupted judgement goes on where it stopped.
    """

    def __init__(self, cases: Sequence[Case], foreground_of: FindForeground, rows: RowStore) -> None:
        self._cases, self._foreground_of, self._rows = cases, foreground_of, rows
        self._source = LesionSource([SmoothBlob()])

    def judge(self, models: Sequence[Model], progress: Callable[[float], None] = lambda _: None) -> list[list[Row]]:
        """For each model a row for each case: "case", "subject", "truth" and the metrics (None: cannot be said).

        :param progress: gets the share that is done.
        """
        judged: list[list[Row]] = [[] for _ in models]
        steps = len(self._cases) * len(models)
        for index, case in enumerate(self._cases):
            subject = load_subject(case, self._foreground_of)
            trusted = trusted_voxels(case, subject)
            truth = digest(subject.raw, subject.lesion, subject.foreground, trusted, _VERSION)
            for place, model in enumerate(models):
                key = digest(truth, LesionFinder(model).fingerprint, CorrectedFill(model).fingerprint)
                row = self._rows.get(key)
                if row is None:
                    measured = self._measured(subject, trusted, model)
                    labels: Row = {"key": key, "case": case.case, "subject": case.subject, "truth": truth}
                    row = self._rows.add([labels | measured])[0]
                judged[place].append({name: value for name, value in row.items() if name != "key"})
                progress((index * len(models) + place + 1) / steps)
        return judged

    def _measured(self, subject: Subject, trusted: NDArray[np.bool_], model: Model) -> Row:
        image = subject.scale(np.zeros_like(subject.lesion)).apply(subject.raw)  # nobody knows where the lesions are
        found = LesionFinder(model)(image, subject.foreground) & trusted
        drawn = subject.lesion & trusted
        row: Row = {"false_positive_ml": false_positive_ml(found, drawn)}
        row["dice"] = dice(found, drawn) if drawn.any() else None
        # what may be diseased is no place for a lesion whose truth is known
        sound = replace(subject, lesion=subject.lesion | (subject.foreground & ~trusted))
        trials = [trial for group in simulated_trials(sound, self._source, FAMILIES, (0,)) for trial in group]
        restorer = CorrectedFill(model)
        row["psnr_db"] = float(np.mean([_psnr(restorer, trial) for trial in trials])) if trials else None
        return row


def trusted_voxels(case: Case, subject: Subject) -> NDArray[np.bool_]:
    """(D, H, W) on the model grid: all but what the case's column ``weight`` marks as not to be trusted."""
    path = case.extra.get("weight")
    if not path:
        return np.ones(subject.raw.shape, bool)
    assert case.image is not None
    return ~mask_to_model(read_scan(path).array <= 0, conform(read_scan(case.image)))


def means(rows: Sequence[Row]) -> dict[str, float]:
    """Means over subjects, of those metrics that can be said."""
    subjects = [str(row["subject"]) for row in rows]
    found = {
        name: bootstrap_mean([number(row, name) for row in rows], subjects) for name in (*METRICS, "false_positive_ml")
    }
    return {name: interval.mean for name, interval in found.items() if interval.subjects}


def compared(first: Sequence[Any], second: Sequence[Any]) -> Comparison | None:
    """The first model minus the second one, on the cases of which both were judged by the same truth.

    :returns: None when there is no such case.
    """
    of_second = {(row["case"], row["truth"]): row for row in second}
    pairs = [(row, of_second[row["case"], row["truth"]]) for row in first if (row["case"], row["truth"]) in of_second]
    subjects = [str(row["subject"]) for row, _ in pairs]
    differences = {}
    for name in METRICS:
        interval = paired_difference([number(a, name) for a, _ in pairs], [number(b, name) for _, b in pairs], subjects)
        if interval.subjects:
            told = interval.subjects >= FEWEST_SUBJECTS
            differences[name] = Difference(
                interval.mean, interval.low if told else None, interval.high if told else None
            )
    return Comparison(len(set(subjects)), differences) if pairs else None


def _psnr(restorer: CorrectedFill, trial: Trial) -> float:
    output = restorer.restore(trial.image, trial.lesion, trial.foreground).normal
    return psnr(float(np.mean((output - trial.truth)[trial.lesion].astype(np.float64) ** 2)))
