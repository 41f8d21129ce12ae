"""Label maps that scans are made from: tissue classes, superpixels, or a given parcellation; lesions come last."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import ndimage
from scipy.cluster.vq import kmeans2

from pseudonormal.errors import InputError
from pseudonormal.fills.normalised_convolution import normalised_convolution_fill
from pseudonormal.fills.symmetry import symmetry_plane
from pseudonormal.painting.tissues import GROUPS, group_numbers
from pseudonormal.recipes.translation.options import TranslationOptions
from pseudonormal.recipes.um.cuts import Cuts
from pseudonormal.recipes.um.options import GREY_LEVELS
from pseudonormal.recipes.um.superpixels import WHITE, means
from pseudonormal.regions import connected
from pseudonormal.training.references import Reference

BLUR = 0.5  # voxels: a class is a tissue, not noise
BLOTCH = 2.0  # voxels
DEEP = 3.0  # voxels from where on a lesion is all core
BLOTCHY = 0.7  # voxels of depth that a blotch counts as much as
SAMPLE = 20_000  # voxels that classes are found with
BACKGROUND = 0

Labels = NDArray[np.int16]
Grades = NDArray[np.int8]


def label_count(options: TranslationOptions) -> int:
    """Labels of a map, background and lesion included; a lesion's grades are the last."""
    inside = {
        "tissue": 2 * options.classes,
        "superpixels": int(GREY_LEVELS // options.granularity) + 1,
        "groups": len(GROUPS) - 1,
        "parcellation": options.parcels,
    }
    return inside[options.maps] + 1 + options.lesion_grades


def normal_map(scan: Reference, options: TranslationOptions) -> Labels:
    """The map of a scan as if it had no lesion: under its lesions, the labels of what they are filled with.

    :param scan: on the recipe's grid.
    :returns: (D, H, W), 0 outside the foreground.
    :raises InputError: maps of this kind need a parcellation, and the scan has none.
    """
    if options.maps in ("groups", "parcellation"):
        return given_map(_filled_parcels(scan), scan.brain, options, scan.case)
    lesion = np.zeros_like(scan.brain) if scan.lesion is None else scan.lesion & scan.brain
    image = normalised_convolution_fill(scan.image, lesion, scan.brain) if lesion.any() else scan.image
    if options.maps == "superpixels":
        pixels = Cuts().of(replace(scan, image=image), options.superpixels())
        values = np.clip(means(image, pixels) / WHITE, 0, 1) * GREY_LEVELS
        levels = (values // options.granularity).astype(np.int16) + 1
        return np.where(pixels > 0, levels[pixels], BACKGROUND).astype(np.int16)
    return _tissue_map(image, scan.brain, scan.brain & ~scan.doubtful, options.classes)


def given_map(numbers: NDArray[np.integer], brain: NDArray[np.bool_], options: TranslationOptions, case: str) -> Labels:
    """The map that a parcellation says.

    :param numbers: (D, H, W), 0 outside; for maps "groups", FreeSurfer's.
    :raises InputError: a number is too high.
    """
    if options.maps == "groups":
        groups = group_numbers(numbers).astype(np.int16)
        return np.where(brain & (groups < len(GROUPS)), groups, BACKGROUND).astype(np.int16)
    if numbers.max() > options.parcels:
        raise InputError(
            f"case '{case}': its parcellation has the number {numbers.max()}: say --set parcels={numbers.max()}"
        )
    return np.where(brain, numbers, BACKGROUND).astype(np.int16)


def grades_of(image: NDArray[np.float32], lesion: NDArray[np.bool_], options: TranslationOptions) -> Grades:
    """How bright each voxel of a lesion is beside its others: 1 is the darkest share of it; 0 outside.

    With one label for all of it every lesion would be as flat as a stamp, and its core like its rim.

    :param image: (D, H, W) in any unit.
    """
    if not lesion.any():
        return np.zeros(lesion.shape, np.int8)
    smooth = _smooth(image, lesion)
    edges = np.quantile(smooth[lesion], np.arange(1, options.lesion_grades) / options.lesion_grades)
    return np.where(lesion, np.searchsorted(edges, smooth) + 1, 0).astype(np.int8)


def imagined_grades(lesion: NDArray[np.bool_], options: TranslationOptions, rng: Generator) -> Grades:
    """Grades of a lesion that nobody has seen: blotches, and darker at the rim of each piece, where tissue mixes in."""
    blotches = ndimage.gaussian_filter(rng.standard_normal(lesion.shape, dtype=np.float32), BLOTCH)
    depth = np.minimum(ndimage.distance_transform_edt(lesion), DEEP)
    bright = (depth + blotches * (BLOTCHY / blotches.std())).astype(np.float32)
    grades = np.zeros(lesion.shape, np.int8)
    pieces, _ = connected(lesion)
    for number, box in enumerate(ndimage.find_objects(pieces), start=1):
        grades[box] += grades_of(bright[box], pieces[box] == number, options)
    return grades


def with_lesion(labels: Labels, grades: Grades, options: TranslationOptions) -> Labels:
    """A map with a lesion in it, (D, H, W) or (H, W).

    :param grades: of the lesion, 0 where there is none.
    """
    first = label_count(options) - options.lesion_grades
    return np.where((grades > 0) & (labels != BACKGROUND), first - 1 + grades, labels).astype(np.int16)


def mirrored(labels: Labels, options: TranslationOptions) -> Labels:
    """A map seen in a mirror, left labels on the right: along its last axis."""
    flipped = labels[..., ::-1]
    if options.maps != "tissue":
        return np.ascontiguousarray(flipped)
    count = options.classes
    swapped = np.where(flipped > count, flipped - count, flipped + count)
    within = (flipped > BACKGROUND) & (flipped <= 2 * count)
    return np.where(within, swapped, flipped).astype(np.int16)


def can_mirror(options: TranslationOptions) -> bool:
    """Whether it is known which labels mirror each other; of any parcellation it is not."""
    return options.maps != "parcellation"


def _tissue_map(image: NDArray[np.float32], brain: NDArray[np.bool_], normal: NDArray[np.bool_], count: int) -> Labels:
    """Classes of intensity by k-means, dark to bright from 1; on the right of the brain ``count`` more."""
    smooth = _smooth(image, brain)
    values = smooth[normal if normal.any() else brain].astype(np.float64)
    values = values[:: max(1, len(values) // SAMPLE)]
    start = np.quantile(values, (np.arange(count) + 0.5) / count)
    centres = np.sort(kmeans2(values[:, None], start[:, None], minit="matrix", missing="warn")[0][:, 0])
    classes = np.searchsorted((centres[1:] + centres[:-1]) / 2, smooth) + 1
    plane = symmetry_plane(image, brain, brain & ~normal)
    axes = np.ogrid[tuple(slice(0, n) for n in image.shape)]
    middle = (np.array(image.shape) - 1) / 2
    aside = sum((axis - c) * part for axis, c, part in zip(axes, middle, plane.normal, strict=True))
    right = aside > plane.offset_mm
    return np.where(brain, classes + count * right, BACKGROUND).astype(np.int16)


def _smooth(image: NDArray[np.float32], within: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Without noise; what lies outside is not mixed in."""
    weight = ndimage.gaussian_filter(within.astype(np.float32), BLUR)
    smooth: NDArray[np.float32] = ndimage.gaussian_filter(np.where(within, image, 0), BLUR) / np.maximum(weight, 1e-3)
    return smooth


def _filled_parcels(scan: Reference) -> NDArray[np.int16]:
    """A parcellation without the holes that its makers leave at lesions: filled from around."""
    if scan.parcels is None:
        raise InputError(
            f"case '{scan.case}': has no parcellation: name one in the column parcellation, or take --set maps=tissue"
        )
    if scan.lesion is None or not (scan.lesion & (scan.parcels == 0)).any():
        return scan.parcels
    empty = scan.parcels == 0
    nearest = ndimage.distance_transform_edt(empty, return_distances=False, return_indices=True)
    return np.where(scan.lesion & empty, scan.parcels[tuple(nearest)], scan.parcels).astype(np.int16)
