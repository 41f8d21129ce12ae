"""Findings: the connected lesions and their numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from pseudonormal.generate.brain import uncertain_ml
from pseudonormal.generate.position import BrainExtent, Side
from pseudonormal.regions import connected
from pseudonormal.scan.scan import Geometry


@dataclass(frozen=True)
class Finding:
    """One connected lesion.

    :param index: its number, from 1 for the largest; also its value in the label map.
    :param volume_ml: its volume in ml.
    :param centroid_ras: mean position of its voxels, RAS mm.
    :param bounding_box: first and one-past-last array index along z, y, x.
    :param mean_z: mean of the difference map in it, robust z; positive is brighter than normal tissue.
    :param peak_z: the value of the difference map with the largest magnitude in it, robust z, with its sign.
    :param confidence: 0 to 1, see :func:`find`; None when there was nothing to tell it from.
    :param uncertain_ml: the volume in it that is expected to be wrong, see
        :func:`pseudonormal.generate.brain.uncertain_ml`; None when nothing said how likely a lesion is.
    :param mode: how it was restored, "void" or "guided"; None when the method knows no modes.
    :param side: the patient's side: "left", "right" or "midline".
    :param position: where it lies, in plain words.
    """

    index: int
    volume_ml: float
    centroid_ras: tuple[float, float, float]
    bounding_box: tuple[tuple[int, int], tuple[int, int], tuple[int, int]]
    mean_z: float
    peak_z: float
    confidence: float | None
    uncertain_ml: float | None
    mode: str | None
    side: Side
    position: str


def label_components(lesion: NDArray[np.bool_]) -> tuple[NDArray[np.int32], int]:
    """Number the connected parts of a mask in array order; voxels that share a face, edge or corner belong together.

    :param lesion: (D, H, W) lesion mask.
    :returns: (D, H, W) labels from 1, 0 elsewhere, and how many there are.
    """
    labels = np.zeros(lesion.shape, np.int32)
    boxes = ndimage.find_objects(np.asarray(lesion, bool).view(np.uint8))
    if not boxes:
        return labels, 0
    labels[boxes[0]], count = connected(lesion[boxes[0]])
    return labels, int(count)


def find(
    lesion: NDArray[np.bool_],
    geometry: Geometry,
    difference_z: NDArray[np.floating],
    foreground: NDArray[np.bool_],
    probability: NDArray[np.floating] | None = None,
    expected_error: NDArray[np.floating] | None = None,
    modes: Sequence[str] = (),
    mode_labels: NDArray[np.integer] | None = None,
) -> tuple[list[Finding], NDArray[np.int32]]:
    """Describe every connected lesion (26-connectivity: voxels that touch at a corner are one finding).

    ``confidence = mean(probability) * d2 / (d2 + e2)`` with d2 and e2 the mean squared difference and expected error
    inside the finding: how sure the mask is, times how far the difference stands out of the restoration's own error.
    A factor whose map is missing is left out. It orders findings; it is not a calibrated probability.

    :param lesion: (D, H, W) lesion mask on the scan's grid.
    :param geometry: the scan's grid.
    :param difference_z: (D, H, W) difference map in robust z; voxels that are not finite count as 0.
    :param foreground: (D, H, W) the brain, lesions included.
    :param probability: (D, H, W) lesion probability 0 to 1.
    :param expected_error: (D, H, W) expected absolute error of the restoration, in robust z as ``difference_z``.
    :param modes: the restoration mode of each lesion: one for all, or one per label of ``mode_labels``.
    :param mode_labels: (D, H, W) lesion numbers from 1 that ``modes`` refers to, for instance the restorer's components
        brought to this grid; by default those of :func:`label_components`.
    :returns: findings, largest first (equal volumes in array order), and the (D, H, W) map of their numbers.
    :raises ValueError: ``modes`` is neither empty, nor one, nor as long as ``mode_labels`` has numbers.
    """
    components, count = label_components(lesion)
    mode_labels = components if mode_labels is None else mode_labels
    if len(modes) > 1 and len(modes) < (mode_labels.max() if count else 0):
        raise ValueError(f"{len(modes)} modes for {mode_labels.max()} lesions")
    if count == 0:
        return [], components
    extent = BrainExtent.of(np.asarray(foreground, bool) | np.asarray(lesion, bool), geometry)
    volumes = np.bincount(components.ravel(), minlength=count + 1)[1:]
    order = np.argsort(-volumes, kind="stable") + 1
    numbers = np.zeros(count + 1, np.int32)
    numbers[order] = np.arange(1, count + 1, dtype=np.int32)
    labels = numbers[components]
    boxes = ndimage.find_objects(labels)
    findings = []
    for index, box in enumerate(boxes, start=1):
        inside = labels[box] == index
        zyx = np.argwhere(inside) + [axis.start for axis in box]
        points = geometry.to_ras(zyx)
        z = np.nan_to_num(difference_z[box][inside].astype(np.float64), posinf=0.0, neginf=0.0)
        side, words = extent.describe(points)
        findings.append(
            Finding(
                index=index,
                volume_ml=len(zyx) * geometry.voxel_ml,
                centroid_ras=_triple(points.mean(axis=0)),
                bounding_box=_bounds(box),
                mean_z=float(z.mean()),
                peak_z=float(z[np.argmax(np.abs(z))]),
                confidence=_confidence(
                    z,
                    None if probability is None else probability[box][inside],
                    None if expected_error is None else expected_error[box][inside],
                ),
                uncertain_ml=None if probability is None else uncertain_ml(probability[box][inside], geometry),
                mode=_mode(modes, mode_labels[box][inside]),
                side=side,
                position=words,
            )
        )
    return findings, labels


def _confidence(
    z: NDArray[np.float64], probability: NDArray[np.floating] | None, error: NDArray[np.floating] | None
) -> float | None:
    if probability is None and error is None:
        return None
    confidence = 1.0
    if probability is not None:
        confidence *= float(np.clip(np.nan_to_num(probability.astype(np.float64)), 0.0, 1.0).mean())
    if error is not None:
        # An error that is not finite says that nothing is known there: it must lower the confidence, not raise it.
        known = np.nan_to_num(error.astype(np.float64), nan=1e6, posinf=1e6, neginf=1e6)
        signal, noise = float((z**2).mean()), float((known**2).mean())
        confidence *= signal / (signal + noise) if signal + noise > 0 else 0.0
    return confidence


def _mode(modes: Sequence[str], numbers: NDArray[np.integer]) -> str | None:
    """The mode that most of a finding's voxels were restored with."""
    if len(modes) <= 1:
        return modes[0] if modes else None
    counts = np.bincount(numbers[numbers > 0].ravel())
    return modes[int(np.argmax(counts)) - 1] if counts.size else None


def _triple(values: NDArray[np.float64]) -> tuple[float, float, float]:
    return float(values[0]), float(values[1]), float(values[2])


def _bounds(box: tuple[slice, ...]) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int]]:
    z, y, x = ((int(axis.start), int(axis.stop)) for axis in box)
    return z, y, x
