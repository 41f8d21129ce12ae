"""How far two readers agree on a case, and what several of them say together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy import ndimage

from pseudonormal.errors import InputError
from pseudonormal.scan.nifti import read_nifti
from pseudonormal.store.store import RevisionRecord, Store

# Voxels around what anybody marked: the rest of the head, which nobody ever marks, says nothing about a reader.
_MARGIN = 2
# Readers who share no voxel make STAPLE waver for thousands of rounds without changing its mind.
_ROUNDS = 200


@dataclass(frozen=True)
class Agreement:
    """Two revisions of one case held against each other.

    :param dice: 0 (nothing in common) to 1 (the same voxels); 1 when both are empty.
    :param volume_a_ml: volume of the first mask in ml.
    :param volume_b_ml: volume of the second mask in ml.
    :param hausdorff95_mm: see :func:`hausdorff95`; None when just one of the two is empty.
    """

    dice: float
    volume_a_ml: float
    volume_b_ml: float
    hausdorff95_mm: float | None


def compare(store: Store, a: str, b: str) -> Agreement:
    """Hold two revisions of one case against each other.

    :param a: id of a revision.
    :param b: id of another one.
    :raises InputError: there is no such revision, or the two are of different cases.
    """
    cases = [store.revision(revision).case_id for revision in (a, b)]
    if cases[0] != cases[1]:
        raise InputError(f"{b}: is a revision of {cases[1]}, {a} one of {cases[0]}; compare revisions of one case")
    first, second = (read_nifti(store.mask_path(revision), None) for revision in (a, b))
    one, other = first.array > 0, second.array > 0
    voxel_ml = first.geometry.voxel_ml
    return Agreement(
        dice=dice(one, other),
        volume_a_ml=float(one.sum()) * voxel_ml,
        volume_b_ml=float(other.sum()) * voxel_ml,
        hausdorff95_mm=hausdorff95(one, other, first.geometry.spacing),
    )


def consensus(store: Store, case_id: str, revisions: Sequence[str], *, author: str, lease: str) -> RevisionRecord:
    """Add what several revisions say together as a new revision of state "consensus", on top of the case's head.

    The mask is where STAPLE (Warfield et al. 2004, IEEE TMI 23:903) finds a probability of at least 0.5. The comment
    names the revisions with the sensitivity and specificity STAPLE gave each, within the box around all of them.

    :param revisions: ids of two or more revisions of the case.
    :param author: who asks for it; the lease must be theirs.
    :param lease: token of a lease on the case.
    :raises InputError: fewer than two revisions, one of another case, or the lease is another's; as
        ``Store.add_revision`` otherwise.
    """
    if len(set(revisions)) < 2:
        raise InputError(f"{case_id}: a consensus needs at least two revisions; name two or more different ones")
    for revision in revisions:
        of = store.revision(revision).case_id
        if of != case_id:
            raise InputError(f"{revision}: is a revision of {of}, not of {case_id}; name revisions of one case")
    held = store.renew(lease)
    if held.annotator != author:
        raise InputError(f"{case_id}: the lease is not {author}'s; take the case under your own name first")
    parent = store.case(case_id).head
    named = list(dict.fromkeys(revisions))
    masks = [read_nifti(store.mask_path(revision), None).array > 0 for revision in named]
    together, quality = staple(masks)
    said = ", ".join(f"{name} ({se:.3f}, {sp:.3f})" for name, (se, sp) in zip(named, quality, strict=True))
    return store.add_revision(
        case_id,
        together,
        lease=lease,
        state="consensus",
        parent=parent,
        comment=f"STAPLE of revisions (sensitivity, specificity): {said}",
    )


def dice(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    """``2 |a ∩ b| / (|a| + |b|)`` of two (D, H, W) masks; 1 when both are empty."""
    total = int(a.sum()) + int(b.sum())
    return 2.0 * int((a & b).sum()) / total if total else 1.0


def hausdorff95(a: NDArray[np.bool_], b: NDArray[np.bool_], spacing: tuple[float, float, float]) -> float | None:
    """Distance in mm that 95 % of each surface's voxels keep to the other surface at most.

    The larger of the two directed 95th percentiles; a surface is the mask's voxels with a face to the outside.

    :param a: (D, H, W) mask.
    :param b: (D, H, W) mask.
    :param spacing: voxel edges in mm along x, y, z.
    :returns: None when just one of the two is empty; 0 when both are.
    """
    if not a.any() or not b.any():
        return None if a.any() or b.any() else 0.0
    box = _box_around(a | b, 1)
    surfaces = [mask[box] & ~ndimage.binary_erosion(mask[box]) for mask in (a, b)]
    distances = [ndimage.distance_transform_edt(~surface, sampling=spacing[::-1]) for surface in surfaces]
    return max(float(np.percentile(distances[1][surfaces[0]], 95)), float(np.percentile(distances[0][surfaces[1]], 95)))


def staple(masks: Sequence[NDArray[np.bool_]]) -> tuple[NDArray[np.bool_], list[tuple[float, float]]]:
    """What several readers say together, and how far each of them can be believed.

    :param masks: (D, H, W) masks of one grid.
    :returns: (D, H, W) mask, and for each reader sensitivity and specificity; 1 and 1 when nobody marked anything.
    """
    together = np.zeros(masks[0].shape, bool)
    marked = np.any(masks, axis=0)
    if not marked.any():
        return together, [(1.0, 1.0)] * len(masks)
    box = _box_around(marked, _MARGIN)
    found = sitk.STAPLEImageFilter()
    found.SetForegroundValue(1)
    found.SetMaximumIterations(_ROUNDS)
    probability = found.Execute([sitk.GetImageFromArray(mask[box].astype(np.uint8)) for mask in masks])
    together[box] = sitk.GetArrayViewFromImage(probability) >= 0.5
    return together, list(zip(found.GetSensitivity(), found.GetSpecificity(), strict=True))


def _box_around(mask: NDArray[np.bool_], margin: int) -> tuple[slice, ...]:
    """The box that holds a mask with something in it, grown by some voxels within the array."""
    bounds = ndimage.find_objects(mask.astype(np.uint8))[0]
    return tuple(
        slice(max(0, side.start - margin), min(size, side.stop + margin))
        for side, size in zip(bounds, mask.shape, strict=True)
    )
