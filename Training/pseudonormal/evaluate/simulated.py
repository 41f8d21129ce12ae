"""Tier A: lesions simulated in normal tissue, so that the truth is known."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from pseudonormal.evaluate.entrants import Bench, Entrant
from pseudonormal.evaluate.metrics import brats_metrics, brats_window, gradient_ratio, restoration_metrics
from pseudonormal.evaluate.rows import METRICS_VERSION, Row, RowStore, digest
from pseudonormal.evaluate.subject import Subject
from pseudonormal.generate.texture import add_texture
from pseudonormal.lesions.source import LesionSource, SimulatedLesion

LESION_DISTANCE_MM = 5.0  # simulated lesions keep this far from real ones


@dataclass(frozen=True)
class Stratum:
    """A class of lesion sizes, in ml."""

    name: str
    low_ml: float
    high_ml: float


STRATA = (Stratum("small", 0.5, 2.0), Stratum("medium", 2.0, 10.0), Stratum("large", 10.0, 40.0))


@dataclass(frozen=True)
class Trial:
    """One lesion to restore whose truth is known; arrays (D, H, W), intensities scaled.

    :param labels: the row's first columns: case, subject, family, stratum, seed, volume.
    :param record: the parameters that made the lesion.
    """

    labels: Row
    image: NDArray[np.float32]
    truth: NDArray[np.float32]
    lesion: NDArray[np.bool_]
    foreground: NDArray[np.bool_]
    record: dict[str, object]


def stratum_of(volume_ml: float) -> str:
    """The size class of a volume; smaller and larger ones belong to the nearest class."""
    return next((stratum.name for stratum in STRATA if volume_ml < stratum.high_ml), STRATA[-1].name)


def allowed_tissue(subject: Subject) -> NDArray[np.bool_]:
    """Where lesions may be simulated: the foreground, 5 mm away from real lesions."""
    if not subject.lesion.any():
        return subject.foreground
    return np.asarray(subject.foreground & (distance_transform_edt(~subject.lesion) > LESION_DISTANCE_MM), bool)


def simulated_trials(
    subject: Subject, source: LesionSource, families: Sequence[str], seeds: Sequence[int]
) -> Iterator[list[Trial]]:
    """The subject's lesions: for each size and seed, one trial of each family, or none where no place was found.

    Shape and place are the same for all families, so that these can be compared in pairs.
    """
    image = subject.scale().apply(subject.raw)
    allowed = allowed_tissue(subject)
    for size, stratum in enumerate(STRATA):
        for seed in seeds:
            entropy = [seed, size, zlib.crc32(subject.case.case.encode())]
            place = source.place(allowed, np.random.default_rng(entropy), volume_ml=(stratum.low_ml, stratum.high_ml))
            yield (
                []
                if place is None
                else [
                    _trial(subject, source.paint(image, place, family, np.random.default_rng(entropy)), stratum, seed)
                    for family in families
                ]
            )


def _trial(subject: Subject, simulated: SimulatedLesion, stratum: Stratum, seed: int) -> Trial:
    labels = _labels(subject, simulated.mask)
    labels.update(family=simulated.record["family"], stratum=stratum.name, seed=seed)
    return Trial(labels, simulated.image, simulated.truth, simulated.mask, subject.foreground, simulated.record)


def given_trial(subject: Subject) -> Trial:
    """The lesion of a case whose normal is given; its family is the extra column ``family``."""
    assert subject.truth is not None
    scale = subject.scale()
    labels = _labels(subject, subject.lesion)
    volume = float(subject.lesion.sum()) / 1000.0
    labels.update(family=subject.case.extra.get("family") or "given", stratum=stratum_of(volume), seed=0)
    image, truth = scale.apply(subject.raw), scale.apply(subject.truth)
    return Trial(labels, image, truth, subject.lesion, subject.foreground, {})


def trial_rows(trial: Trial, entrants: Sequence[Entrant], bench: Bench, store: RowStore, texture: bool) -> list[Row]:
    """One row for each entrant; rows that the store holds are not computed again.

    :param texture: also measure the gradient ratio with seeded grain (``gradient_ratio_textured``); the other
        numbers are those of the smooth restoration.
    """
    lesion_key = digest(trial.image, trial.truth, trial.lesion, trial.foreground)
    window = brats_window(trial.truth, trial.lesion, trial.foreground)
    rows: list[Row] = []
    for entrant in entrants:
        settings = (lesion_key, entrant.name, entrant.fingerprint, str(texture), str(METRICS_VERSION))
        key = digest("simulated", *settings)
        row = store.get(key)
        if row is None:
            labels: Row = {"tier": "simulated", "key": key, "lesion": lesion_key, **trial.labels}
            labels.update(restorer=entrant.name, learnt=not entrant.classical)
            labels.update(seen=entrant.seen(str(trial.labels["family"])), record=trial.record)
            row = store.add([{**labels, **_measure(trial, entrant, bench, texture, window)}])[0]
        rows.append(row)
    return rows


def _measure(trial: Trial, entrant: Entrant, bench: Bench, texture: bool, window: tuple[float, float]) -> Row:
    output, seconds = bench.restore(entrant, trial.image, trial.lesion, trial.foreground)
    row: Row = {"seconds": round(seconds, 4)}
    row.update(restoration_metrics(output, trial.truth, trial.image, trial.lesion))
    row.update(brats_metrics(output, trial.truth, trial.lesion, window))
    if texture:
        seed = int(str(trial.labels["seed"]))
        textured = add_texture(output, trial.lesion, trial.image, trial.foreground, seed).normal
        row["gradient_ratio_textured"] = gradient_ratio(textured, trial.truth, trial.lesion)
    return row


def _labels(subject: Subject, lesion: NDArray[np.bool_]) -> Row:
    case = subject.case
    volume = round(float(lesion.sum()) / 1000.0, 3)
    return {"case": case.case, "subject": case.subject, "split": case.split, "volume_ml": volume}
