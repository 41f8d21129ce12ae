"""Findings: each connected lesion with its numbers; the engine's, or measured again after the mask was edited."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from scipy import ndimage

from PseudoNormalLib.scene.volumes import points_to_ras, voxel_ml

CROSSES = 0.1
"""A finding with at least this share of its volume on each side lies on the midline; the engine's rule too."""
EDITED = "edited by hand"
_NEIGHBOURS_26 = np.ones((3, 3, 3), bool)


@dataclass(frozen=True)
class Finding:
    """One connected lesion; the fields are those of the engine's report.

    :param index: its number, from 1 for the largest; also its value in the map of numbers.
    :param volume_ml: its volume in ml.
    :param centroid_ras: mean position of its voxels in RAS mm, before any parent transform of the volume.
    :param bounding_box: first and one-past-last array index along z, y, x.
    :param mean_z: mean of the difference map in it, robust z.
    :param peak_z: the value of the difference map with the largest magnitude in it, with its sign.
    :param confidence: 0 to 1; None when nobody can tell.
    :param mode: how it was restored, "void" or "guided"; None when not known.
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
    mode: str | None
    side: str
    position: str


def findings_from_report(report: dict[str, Any]) -> list[Finding]:
    """The findings of the engine's ``report.json``, largest first.

    Fields that a newer engine adds are left out.

    :raises ValueError: a finding lacks a field.
    """
    names = [field.name for field in fields(Finding)]
    try:
        entries = [{name: entry[name] for name in names} for entry in report["findings"]]
    except (KeyError, TypeError) as error:
        raise ValueError(f"the engine's report lacks {error}; update the engine or this extension") from error
    for entry in entries:
        entry["centroid_ras"] = tuple(entry["centroid_ras"])
        entry["bounding_box"] = tuple(tuple(axis) for axis in entry["bounding_box"])
    return [Finding(**entry) for entry in entries]


def label_lesions(mask: np.ndarray) -> tuple[np.ndarray, int]:
    """Number the connected lesions, the largest first; voxels that share a face, edge or corner belong together.

    :param mask: (D, H, W) lesion mask.
    :returns: (D, H, W) int32 numbers from 1, 0 elsewhere, and how many there are. Equal volumes keep array order.
    """
    labels = np.zeros(mask.shape, np.int32)
    box = _box_around(mask)
    part, count = ndimage.label(mask[box], structure=_NEIGHBOURS_26)
    order = np.argsort(-np.bincount(part.ravel(), minlength=count + 1)[1:], kind="stable")
    numbers = np.zeros(count + 1, np.int32)
    numbers[order + 1] = np.arange(1, count + 1, dtype=np.int32)
    labels[box] = numbers[part]
    return labels, int(count)


def measure(
    mask: np.ndarray,
    matrix: np.ndarray,
    difference_z: np.ndarray,
    middle: float,
    before: list[Finding] | tuple[Finding, ...] = (),
) -> tuple[list[Finding], np.ndarray]:
    """Describe every connected lesion, as the engine does but without it.

    A lesion that stands as it stood in ``before`` (same box and volume) keeps what only the engine can tell: words,
    confidence and mode. One that was edited or drawn has its side and says that it was edited.

    :param mask: (D, H, W) lesion mask.
    :param matrix: (4, 4) from voxel index (i, j, k, 1) to RAS mm.
    :param difference_z: (D, H, W) difference map in robust z; voxels that are not finite count as 0.
    :param middle: RAS x in mm that parts left from right, see :func:`middle_of`.
    :param before: the engine's findings.
    :returns: findings, largest first, and the (D, H, W) map of their numbers.
    """
    labels, count = label_lesions(mask)
    if count == 0:
        return [], labels
    known = {(finding.bounding_box, round(finding.volume_ml, 6)): finding for finding in before}
    findings = []
    around = _box_around(mask)
    for index, within in enumerate(ndimage.find_objects(labels[around]), start=1):
        box = tuple(slice(w.start + a.start, w.stop + a.start) for w, a in zip(within, around, strict=True))
        inside = labels[box] == index
        points = points_to_ras(matrix, np.argwhere(inside) + [axis.start for axis in box])
        z = np.nan_to_num(difference_z[box][inside].astype(np.float64), posinf=0.0, neginf=0.0)
        bounds = tuple((int(axis.start), int(axis.stop)) for axis in box)
        volume = len(points) * voxel_ml(matrix)
        same = known.get((bounds, round(volume, 6)))
        side = same.side if same else _side(points[:, 0] - middle)
        words = f"{'across the midline' if side == 'midline' else side}, {EDITED}"
        findings.append(
            Finding(
                index=index,
                volume_ml=volume,
                centroid_ras=tuple(points.mean(axis=0).tolist()),
                bounding_box=bounds,
                mean_z=float(z.mean()),
                peak_z=float(z[np.argmax(np.abs(z))]),
                confidence=same.confidence if same else None,
                mode=same.mode if same else None,
                side=side,
                position=same.position if same else words,
            )
        )
    return findings, labels


def middle_of(image: np.ndarray, matrix: np.ndarray) -> float:
    """Where the head's middle is: enough to tell left from right without a brain mask.

    It looks at every voxel of the scan, so keep the answer while the scan stays the same.

    :param image: (D, H, W) the scan; what is brighter than its mean counts as head.
    :param matrix: (4, 4) from voxel index (i, j, k, 1) to RAS mm.
    :returns: RAS x in mm of the head's centre of mass; of the grid's middle where all voxels are alike.
    """
    values = np.nan_to_num(image.astype(np.float32), posinf=0.0, neginf=0.0)
    head = values > values.mean()
    centre = ndimage.center_of_mass(head if head.any() else np.ones_like(head))
    return float(points_to_ras(matrix, np.array([centre]))[0, 0])


def _box_around(voxels: np.ndarray) -> tuple[slice, ...]:
    """The smallest box with all voxels that are not 0, along z, y, x; lesions fill a small part of a scan."""
    box: tuple[slice, ...] = ()
    for axis in range(voxels.ndim):
        along = voxels[box]
        used = np.flatnonzero(along.any(tuple(other for other in range(voxels.ndim) if other != axis)))
        box = (*box, slice(int(used[0]), int(used[-1]) + 1) if used.size else slice(0, 0))
    return box


def _side(offsets: np.ndarray) -> str:
    right = float((offsets > 0).mean() + 0.5 * (offsets == 0).mean())
    if CROSSES <= right <= 1.0 - CROSSES:
        return "midline"
    return "right" if right > 0.5 else "left"
