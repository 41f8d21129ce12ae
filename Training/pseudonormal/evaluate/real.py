"""Tier B: real lesions, whose truth nobody knows, and normal scans, in which nothing may be found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pseudonormal.evaluate.detection import (
    Segmenter,
    SureSegmenter,
    average_precision,
    dice,
    dice_curve,
    false_positive_ml,
    healthiness,
    lesionwise,
)
from pseudonormal.evaluate.entrants import Bench, Entrant, grown
from pseudonormal.evaluate.metrics import contrast_left, outside_change
from pseudonormal.evaluate.reliability import Reliability, of_findings
from pseudonormal.evaluate.rows import METRICS_VERSION, Row, RowStore, digest
from pseudonormal.evaluate.subject import Subject
from pseudonormal.scan.reading import read_mask, read_scan

THRESHOLDS = np.linspace(0.01, 0.5, 50)  # of |x - n^| in scaled intensities


def segmenter_fingerprint(segmenter: Segmenter | None) -> str:
    """The segmenter's attribute ``fingerprint``, which changes with its weights; its name where it has none."""
    return str(getattr(segmenter, "fingerprint", getattr(segmenter, "__qualname__", type(segmenter).__name__)))


def restoration_rows(
    subject: Subject,
    entrants: Sequence[Entrant],
    store: RowStore,
    segmenter: Segmenter | None = None,
    generated: Path | None = None,
    grow: int = 1,
) -> list[Row]:
    """Restore the known lesions with their own mask, grown by ``grow`` voxels; one row for each entrant.

    ``contrast_left``: share of the contrast to the ring that is left; ``outside_max``: largest change outside the
    grown mask, scaled intensities; ``healthiness``: 1 - V(output)/V(input) of an independent segmenter;
    ``removed_ml``: the restored volume.

    :param generated: a folder written by ``generate``; adds ``native_outside_max``, see ``native_outside_change``.
    """
    image = subject.scale().apply(subject.raw)
    restored = grown(subject.lesion, grow, subject.foreground)
    scan_key = digest(image, subject.lesion, restored, subject.foreground)
    native = None if generated is None else native_outside_change(subject, generated)
    rows: list[Row] = []
    for entrant in entrants:
        judged = segmenter_fingerprint(segmenter)
        key = digest("real", scan_key, entrant.name, entrant.fingerprint, judged, str(native), str(METRICS_VERSION))
        row = store.get(key)
        if row is None:
            output, seconds = Bench().restore(entrant, image, restored, subject.foreground)
            row = {"tier": "real", "key": key, **_labels(subject), "restorer": entrant.name}
            row.update(learnt=not entrant.classical, seconds=round(seconds, 4))
            row.update(removed_ml=float(restored.sum()) / 1000.0)
            row.update(contrast_left=contrast_left(output, image, subject.lesion, subject.foreground))
            outside_mae, outside_max = outside_change(output, image, restored)
            row.update(outside_max=outside_max, outside_mae=outside_mae)
            if segmenter is not None:
                row.update(healthiness=healthiness(segmenter, output, image, subject.foreground))
            if native is not None and not entrant.classical:
                row.update(native_outside_max=native)
            row = store.add([row])[0]
        rows.append(row)
    return rows


def found_rows(subject: Subject, segmenter: Segmenter, entrants: Sequence[Entrant], store: RowStore) -> list[Row]:
    """Find the lesions without a mask and compare with the known ones.

    One row for the segmenter, and one for each entrant that then restores what was found.

    The segmenter's row holds ``found_ml``, ``false_positive_ml`` and, where lesions are known, ``dice`` and the
    lesion-wise numbers. Where the segmenter says how sure it is (:class:`SureSegmenter`), ``ece`` is the calibration
    error of the brain's voxels and ``reliability`` holds the bins of voxels and findings, from which the tables pool
    those of all cases. An entrant's row judges the difference map ``|x - n^|``: ``auprc`` and the Dice at each
    threshold (``dice_curve``), from which the tables take the threshold that is best on validation subjects.
    """
    blank = np.zeros_like(subject.lesion)
    image = subject.scale(blank).apply(subject.raw)  # at this point nobody knows where the lesions are
    scan_key = digest(image, subject.lesion, subject.foreground, segmenter_fingerprint(segmenter), str(METRICS_VERSION))
    known = bool(subject.lesion.any())
    searched: _Searched | None = None
    key = digest("found", scan_key)
    row = store.get(key)
    if row is None:
        searched = _search(subject, image, segmenter)
        found = searched.found
        row = {"tier": "found", "key": key, **_labels(subject), "known_ml": float(subject.lesion.sum()) / 1000.0}
        row.update(found_ml=float(found.sum()) / 1000.0, false_positive_ml=false_positive_ml(found, subject.lesion))
        if known:
            row.update(dice=dice(found, subject.lesion), **lesionwise(found, subject.lesion))
        if searched.probability is not None:
            row.update(_reliability(subject, searched.probability, found))
        row = store.add([row])[0]
    rows = [row]
    for entrant in entrants if known else ():
        key = digest("difference", scan_key, entrant.name, entrant.fingerprint)
        row = store.get(key)
        if row is None:
            searched = searched or _search(subject, image, segmenter)
            found, output = searched.found, searched.image
            if found.any():
                output, _ = Bench().restore(entrant, output, found, subject.foreground | found)
            score = np.abs(searched.image - output)
            row = {"tier": "difference", "key": key, **_labels(subject), "restorer": entrant.name}
            row.update(learnt=not entrant.classical)
            row.update(auprc=average_precision(score, subject.lesion, subject.foreground))
            row.update(dice_curve=dice_curve(score, subject.lesion, subject.foreground, THRESHOLDS).tolist())
            row = store.add([row])[0]
        rows.append(row)
    return rows


@dataclass(frozen=True)
class _Searched:
    """What was found without a mask; arrays (D, H, W).

    :param image: intensities scaled without what was found.
    :param probability: None where the segmenter does not say how sure it is.
    """

    found: NDArray[np.bool_]
    image: NDArray[np.float32]
    probability: NDArray[np.float32] | None


def _search(subject: Subject, image: NDArray[np.float32], segmenter: Segmenter) -> _Searched:
    sure = _sure(segmenter)
    probability = None if sure is None else sure.probability(image, subject.foreground)
    found = segmenter(image, subject.foreground) if sure is None or probability is None else sure.mask(probability)
    found = np.asarray(found, bool)
    return _Searched(found, subject.scale(found).apply(subject.raw), probability)


def _sure(segmenter: object) -> SureSegmenter | None:
    return segmenter if isinstance(segmenter, SureSegmenter) else None


def _reliability(subject: Subject, probability: NDArray[np.float32], found: NDArray[np.bool_]) -> Row:
    voxels = Reliability.of(probability[subject.foreground], subject.lesion[subject.foreground])
    findings = Reliability.of(*of_findings(probability, found, subject.lesion))
    return {"ece": voxels.error, "reliability": {"voxels": voxels.as_lists(), "findings": findings.as_lists()}}


def native_outside_change(subject: Subject, generated: Path) -> float | None:
    """Largest |output - input| outside the mask that ``generate`` used, on the scan's own grid and in its units.

    :param generated: the folder given to ``generate``; the case's scan is looked for under the case's name, or the
        name of its image.
    :returns: None when the folder does not hold the case.
    """
    image = subject.case.image
    assert image is not None
    stem = image.name.split(".")[0]
    folder = next((generated / name for name in (subject.case.case, stem) if (generated / name).is_dir()), None)
    if folder is None or not (folder / "pseudo_normal.nii.gz").exists():
        return None
    scan, output = read_scan(image), read_scan(folder / "pseudo_normal.nii.gz")
    mask, _ = read_mask(folder / "lesion_mask.nii.gz", scan)
    change = np.abs(output.array.astype(np.float64) - scan.array.astype(np.float64))
    return float(change[~np.asarray(mask, bool)].max(initial=0.0))


def _labels(subject: Subject) -> Row:
    case = subject.case
    return {
        "case": case.case,
        "subject": case.subject,
        "split": case.split,
        "disease": case.extra.get("disease", ""),
        "contrast": case.extra.get("contrast", ""),
    }
