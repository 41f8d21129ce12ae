"""Real scans to train on: their normal tissue, their lesions, and the voxels that nobody can vouch for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from pseudonormal.cases import Case
from pseudonormal.errors import InputError
from pseudonormal.intensity import scale_from
from pseudonormal.painting.contrast import SEQUENCES, WITH_AGENT
from pseudonormal.regions import bounding_box
from pseudonormal.scan.conform import Conformed, conform, image_to_model, labels_to_model, mask_to_model
from pseudonormal.scan.placing import same_grid
from pseudonormal.scan.reading import read_mask, read_scan
from pseudonormal.scan.scan import Scan
from pseudonormal.training.body import CT, find_body, window_scale

MARGIN = 6  # voxels kept around the brain
LEAST_EDGE = 96  # smaller references are padded, so that every recipe's patch fits in
HIGHEST_PARCEL = 32767
AROUND_LESIONS = 3  # voxels: a drawn border is right to a few millimetres
AROUND_DOUBTFUL = 6  # voxels: an automatic mask is less sure of its border

FindForeground = Callable[[NDArray[np.float32]], NDArray[np.bool_]]


@dataclass(frozen=True)
class Reference:
    """A scan on the model grid.

    :param image: (D, H, W) float32 scaled intensities.
    :param brain: (D, H, W) the foreground.
    :param lesion: (D, H, W) its lesions; None when nobody has drawn them.
    :param doubtful: (D, H, W) voxels that may be abnormal: neither normal tissue nor a label to learn from.
    :param contrast: "flair", "t1", "t2", "pd", "t1c" or "ct"; empty when it is another one or not known.
    :param subject: the person; several scans may be of one.
    :param weight: (D, H, W) float32 in [0, 1], how far a reviewer trusts what was drawn; None: wholly, everywhere.
    :param parcels: (D, H, W) int16, the numbers of a parcellation, 0 outside; None when there is none.
    :param synthetic: whether a network made it.
    """

    case: str
    image: NDArray[np.float32]
    brain: NDArray[np.bool_]
    lesion: NDArray[np.bool_] | None
    doubtful: NDArray[np.bool_]
    contrast: str = ""
    subject: str = ""
    weight: NDArray[np.float32] | None = None
    parcels: NDArray[np.int16] | None = None
    synthetic: bool = False


def read_reference(case: Case, foreground_of: FindForeground, *, unknown: bool = False) -> Reference:
    """Bring a case's scan to the model grid, scaled by its normal tissue and cut to its brain.

    What is known of the lesions comes from the case: those of its ``mask``; none where ``normal`` names the image
    itself; somewhere within the mask that the extra column ``doubtful`` names. The extra column ``weight`` names a map
    in [0, 1]: where it is 0, what was drawn is not to be trusted, and the voxel counts as doubtful. The extra column
    ``parcellation`` names a label map on the scan's grid. In contrast "ct"
    the foreground is the body, and the scale that of the window which the extra column ``window`` names.

    :param foreground_of: finds the brain, (D, H, W) of the model grid in the scan's units, where the case names no
        foreground.
    :param unknown: take scans of which nothing is known too.
    :raises InputError: a file cannot be used, or nothing says which voxels are normal (unless ``unknown``).
    """
    contrast = case.extra.get("contrast", "").lower()
    if contrast and contrast not in (*SEQUENCES, WITH_AGENT, CT):
        known = ", ".join([*SEQUENCES, WITH_AGENT, CT])
        raise InputError(f"case '{case.case}': contrast '{contrast}' is not known: write {known} or leave it empty")
    path, named = case.image, case.extra.get("doubtful")
    if path is None:
        raise ValueError(f"case {case.case} has no scan")
    if case.kind == "unlabelled" and not named and not unknown:
        raise InputError(
            f"case '{case.case}': nothing says which of its voxels are normal: fill the column mask or doubtful, or "
            "normal with the image itself, or take the case out of this split"
        )
    scan = read_scan(path)
    conformed = conform(scan)
    lesion = _mask(case.mask, scan, conformed) if case.mask else None
    doubtful = np.zeros(conformed.image.shape, bool)
    if lesion is not None:
        doubtful |= ndimage.binary_dilation(lesion, iterations=AROUND_LESIONS)
    elif case.kind == "normal":
        lesion = np.zeros_like(doubtful)
    if named:
        doubtful |= ndimage.binary_dilation(_mask(named, scan, conformed), iterations=AROUND_DOUBTFUL)
    weight = _weight(case.extra["weight"], scan, conformed) if case.extra.get("weight") else None
    parcels = _parcels(case.extra["parcellation"], scan, conformed) if case.extra.get("parcellation") else None
    if weight is not None:
        doubtful |= weight <= 0
    try:
        find = find_body if contrast == CT else foreground_of
        brain = _mask(case.foreground, scan, conformed) if case.foreground else find(conformed.image)
        window = case.extra.get("window", "")
        scale = window_scale(window) if contrast == CT else scale_from(conformed.image, brain, doubtful)
    except InputError as error:
        # what finds the brain and the scale knows no file names
        raise error if str(path) in str(error) else InputError(f"{path}: {error}") from error
    box = bounding_box(brain) or ()
    near = tuple(slice(max(0, axis.start - MARGIN), axis.stop + MARGIN) for axis in box)
    parts = (scale.apply(conformed.image[near]), brain[near], doubtful[near])
    image, brain, doubtful = (_at_least(part) for part in parts)
    return Reference(
        case.case,
        image,
        brain,
        None if lesion is None else _at_least(lesion[near]),
        doubtful,
        contrast,
        case.subject,
        None if weight is None else _at_least(weight[near]),
        None if parcels is None else _at_least(parcels[near]),
        case.synthetic,
    )


def _mask(path: object, scan: Scan, conformed: Conformed) -> NDArray[np.bool_]:
    mask, _ = read_mask(str(path), scan)
    return mask_to_model(mask, conformed)


def _weight(path: str, scan: Scan, conformed: Conformed) -> NDArray[np.float32]:
    """A reviewer's trust on the model grid; what has none natively has none there."""
    given = read_scan(path)
    if not same_grid(given.geometry, scan.geometry):
        raise InputError(f"{path}: lies on another grid than its scan: write the weights on the scan's own voxels")
    if given.array.min() < 0 or given.array.max() > 1:
        raise InputError(f"{path}: weights must lie between 0 (do not trust) and 1")
    untrusted = mask_to_model(given.array <= 0, conformed)
    return np.where(untrusted, np.float32(0), image_to_model(given.array, conformed)).astype(np.float32)


def _parcels(path: str, scan: Scan, conformed: Conformed) -> NDArray[np.int16]:
    given = read_scan(path)
    if not same_grid(given.geometry, scan.geometry):
        raise InputError(f"{path}: lies on another grid than its scan: write the parcellation on the scan's own voxels")
    values = given.array
    if values.min() < 0 or values.max() > HIGHEST_PARCEL or not np.equal(values, np.rint(values)).all():
        raise InputError(f"{path}: a parcellation holds whole numbers from 0 to {HIGHEST_PARCEL}: check that it is one")
    return labels_to_model(values.astype(np.int16), conformed)


def _at_least(array: NDArray) -> NDArray:
    return np.pad(array, [(0, max(0, LEAST_EDGE - length)) for length in array.shape])
