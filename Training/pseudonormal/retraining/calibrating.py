"""The candidate's own numbers, chosen on the validation cases as for a new model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pseudonormal.cases import Case
from pseudonormal.evaluate.calibration import choose_fusion, choose_temperature, choose_threshold, fusion_rows
from pseudonormal.evaluate.subject import load_subject
from pseudonormal.lesions.appearance import FAMILIES
from pseudonormal.lesions.shapes import SmoothBlob
from pseudonormal.lesions.source import LesionSource
from pseudonormal.models.bundle import Calibration, Model
from pseudonormal.training.references import FindForeground

MOST_CASES = 4  # more cost minutes and change little


def recalibrated(model: Model, cases: Sequence[Case], foreground_of: FindForeground, *, restores: bool) -> Calibration:
    """How answers are fused, the temperature and the lesion threshold, on validation cases.

    :param model: with the calibration of its parent, which stays where there is nothing to choose on.
    :param cases: labelled and normal ones; those with lesions come first.
    :param restores: whether its restorer was trained too.
    """
    ordered = sorted(cases, key=lambda case: (case.kind != "labelled", case.case))[:MOST_CASES]
    subjects = [load_subject(case, foreground_of) for case in ordered]
    calibration = model.calibration
    if restores and subjects:
        rows = fusion_rows(model, subjects, LesionSource([SmoothBlob()]), tuple(FAMILIES), (0,))
        calibration = choose_fusion(rows, calibration)
    labelled = [subject for subject in subjects if subject.lesion.any()]
    if not labelled:
        return calibration
    normal = [subject for subject in subjects if not subject.lesion.any()]
    calibration = replace(calibration, temperature=choose_temperature(model, labelled, normal).temperature)
    return choose_threshold(model, labelled, normal, calibration)
