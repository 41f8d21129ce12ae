"""What recipe ``translation`` learns from: scans whose lesions are known, with their label maps."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pseudonormal.errors import InputError
from pseudonormal.intensity import scale_from
from pseudonormal.painting.contrast import draw_contrast, known_sequence
from pseudonormal.painting.render import render
from pseudonormal.painting.tissues import is_intracranial
from pseudonormal.recipes.translation.maps import Grades, Labels, grades_of, label_count, normal_map, with_lesion
from pseudonormal.recipes.translation.options import TranslationOptions
from pseudonormal.recipes.um.superpixels import to_network
from pseudonormal.regions import bounding_box
from pseudonormal.training.anatomies import Anatomy
from pseudonormal.training.coarse import coarse_mask, coarse_scan, middle_of_blocks
from pseudonormal.training.references import MARGIN, Reference
from pseudonormal.training.streams import Streams


@dataclass(frozen=True)
class Mapped:
    """A scan with its label map; all arrays (D, H, W) on the recipe's grid.

    :param scan: the scan; of a head that there is only a label map of, nothing but foreground and names are real.
    :param labels: without its lesions.
    :param lesion: its lesions within the foreground.
    :param grades: of the lesions, see :func:`pseudonormal.recipes.translation.maps.grades_of`.
    """

    scan: Reference
    labels: Labels
    lesion: NDArray[np.bool_]
    grades: Grades


@dataclass(frozen=True)
class TranslationMaterial:
    """Scans to learn from, and those that are kept aside."""

    scans: list[Mapped]
    validation: list[Mapped] = field(default_factory=list)


def translation_material(streams: Streams, options: TranslationOptions) -> TranslationMaterial:
    """Read the labelled and the normal scans of a split and make their maps.

    :raises InputError: a file cannot be used, there is no lesion to learn from, or a parcellation is missing.
    """
    scans = [coarse_scan(scan, options.voxel_mm) for scan in streams.drawn_scans]
    validation = [coarse_scan(scan, options.voxel_mm) for scan in streams.validation]
    return mapped_scans(scans, options, validation)


def mapped_scans(
    scans: Sequence[Reference], options: TranslationOptions, validation: Sequence[Reference] = ()
) -> TranslationMaterial:
    """The material of scans on the recipe's grid.

    :param scans: whose lesions are known.
    :raises InputError: none of them has a lesion.
    """
    found = [mapped(scan, options) for scan in scans]
    if not any(one.lesion.any() for one in found):
        raise InputError(
            "no lesion is drawn in any case of the split: recipe translation learns from drawn lesions what lesions "
            "look like; name masks in the column mask"
        )
    return TranslationMaterial(found, [mapped(scan, options) for scan in validation])


def greys(scans: Sequence[Mapped], options: TranslationOptions) -> NDArray[np.float32]:
    """How bright each label is on average, lesion and background included, as networks see it; 0 where it is nowhere.

    :returns: (labels,), [-1, 1] is black to white.
    """
    count = label_count(options)
    total, voxels = np.zeros(count), np.zeros(count)
    for one in scans:
        labels = with_lesion(one.labels, one.grades, options).ravel()
        seen = np.where(one.scan.brain, to_network(one.scan.image), -1).ravel()
        total += np.bincount(labels, seen, count)
        voxels += np.bincount(labels, minlength=count)
    return np.asarray(total / np.maximum(voxels, 1), np.float32)


def mapped(scan: Reference, options: TranslationOptions) -> Mapped:
    """One scan with its map."""
    lesion = np.zeros_like(scan.brain) if scan.lesion is None else scan.lesion & scan.brain
    return Mapped(scan, normal_map(scan, options), lesion, grades_of(scan.image, lesion, options))


def mapped_head(anatomy: Anatomy, name: str, subject: str, contrast: str, options: TranslationOptions) -> Mapped:
    """A head of which there is only an anatomical label map, as a normal scan that nobody acquired.

    Where maps are made from intensities, the head is painted first, in the contrast that scans of the training have;
    the same name gives the same head.
    """
    factor = options.voxel_mm
    groups, brain = middle_of_blocks(anatomy.groups, factor), coarse_mask(anatomy.brain, factor)
    box = bounding_box(brain)
    assert box is not None, "anatomies have a brain"
    near = tuple(slice(max(0, s.start - MARGIN), s.stop + MARGIN) for s in box)
    groups, brain = groups[near], brain[near]
    nothing = np.zeros_like(brain)
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    image = render(groups, draw_contrast(rng, known_sequence(contrast)), rng, voxel_mm=float(factor))
    image = scale_from(image, brain, nothing).apply(image)
    scan = Reference(name, image, brain & is_intracranial(groups), nothing, nothing, contrast, subject)
    if options.maps == "parcellation":
        raise InputError(f"case '{name}': a head without a scan has no such parcellation: take --set maps=groups")
    in_groups = options.maps == "groups"
    labels = np.where(scan.brain, groups, 0).astype(np.int16) if in_groups else normal_map(scan, options)
    return Mapped(scan, labels, nothing, nothing.astype(np.int8))
