"""What the studies learn from and are judged on: real scans of one contrast, and subjects painted from label maps."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pseudonormal.cases import TRAIN, VALIDATION, Case
from pseudonormal.errors import InputError
from pseudonormal.evaluate.rows import digest
from pseudonormal.lesions.shapes import ShapeSource, SmoothBlob, Transplant
from pseudonormal.recipes.smile.material import SmileMaterial
from pseudonormal.regions import bounding_box
from pseudonormal.scan.conform import conform, mask_to_model
from pseudonormal.scan.reading import read_scan
from pseudonormal.study.painting import Disease, StudyScan, coarse_anatomy, paint
from pseudonormal.training.anatomies import Anatomy, mirrored_groups
from pseudonormal.training.coarse import coarse_mask, coarse_scan
from pseudonormal.training.references import FindForeground, Reference, read_reference
from pseudonormal.training.streams import Streams

# Of every eight label maps, by the subject's name: five are learnt from, one chooses thresholds, two are judged on.
ROLES = ("train", "validation", "train", "test", "train", "train", "test", "train")
SCANS_OF_A_HEAD = 2  # of other contrasts; one with large, one with small lesions
NORMALS = 2
MASKS = 48  # that lesion shapes are taken from: reading one takes a second
LISTS = ("labelled", "unlabelled", "normal", "validation", "test")


@dataclass
class StudyMaterial:
    """All scans of a study, on a grid of ``painting.VOXEL_MM``; no subject is in two of the lists.

    :param labelled: drawn scans to learn from: with known lesions.
    :param unlabelled: scans to learn from, as if nobody had drawn in them.
    :param normal: painted scans without lesions to learn from.
    :param validation: chooses thresholds.
    :param test: is judged.
    :param anatomies: of the heads that are learnt from.
    :param masks: real lesion masks without a scan, that shapes are taken from.
    """

    labelled: list[StudyScan]
    unlabelled: list[StudyScan]
    normal: list[StudyScan]
    validation: list[StudyScan]
    test: list[StudyScan]
    anatomies: list[Anatomy]
    masks: list[NDArray[np.bool_]]

    @property
    def shapes(self) -> list[ShapeSource]:
        """Blobs, and those of the masks."""
        return lesion_shapes(self.masks)

    def for_training(self, labelled: Sequence[Reference] | None = None) -> SmileMaterial:
        """What recipe ``smile`` gets.

        :param labelled: scans that somebody has drawn in, of those that there are; None: all that are labelled.
        """
        drawn = [scan.reference for scan in self.labelled] if labelled is None else list(labelled)
        names = {scan.case for scan in drawn}
        others = [scan.reference for scan in (*self.labelled, *self.unlabelled) if scan.reference.case not in names]
        return SmileMaterial(
            labelled=drawn,
            unlabelled=[hidden(scan) for scan in others],
            normal=[scan.reference for scan in self.normal],
            shapes=self.shapes,
            anatomies=self.anatomies,
            mirrored=[mirrored_groups(anatomy) for anatomy in self.anatomies],
        )

    @property
    def fingerprint(self) -> str:
        """Changes with the scans."""
        scans = [scan.reference for name in LISTS for scan in getattr(self, name)]
        return digest(*(part for scan in scans for part in (scan.case, scan.image)))


def lesion_shapes(masks: Sequence[NDArray[np.bool_]]) -> list[ShapeSource]:
    """Blobs, and the shapes of these masks where there are any of some size."""
    transplant = Transplant(masks)
    return [SmoothBlob(), *([transplant] if len(transplant) else [])]


def hidden(scan: Reference) -> Reference:
    """A scan as if nobody had drawn in it."""
    nothing = np.zeros_like(scan.doubtful)
    return Reference(scan.case, scan.image, scan.brain, None, nothing, scan.contrast, scan.subject, None)


def study_material(
    cases: Sequence[Case],
    foreground_of: FindForeground,
    contrast: str = "flair",
    progress: Callable[[str], None] = lambda _: None,
) -> StudyMaterial:
    """Read the real scans and paint the others; the same cases always give the same.

    Real scans of the contrast keep their split; those whose lesions are drawn automatically (column ``doubtful``)
    count as unlabelled. Label maps are shared out by ``ROLES``, whatever their split: all studies train from nothing.

    :raises InputError: nothing to learn from or to judge on.
    """
    marked = [case for case in cases if case.kind == "shape" and case.split == TRAIN]
    marked = marked[:: -(-len(marked) // MASKS)] if marked else []
    progress("lesion shapes")
    masks = [_coarse_mask(case) for case in marked]
    disease = Disease(lesion_shapes(masks), Streams(marked, foreground_of).in_place)
    material = StudyMaterial([], [], [], [], [], [], masks)
    for case in cases:
        if case.image is not None and case.extra.get("contrast", "").lower() == contrast:
            progress(case.case)
            _sort_in(case, foreground_of, material)
    heads = sorted((case for case in cases if case.extra.get("labels")), key=lambda case: case.subject)
    for place, case in enumerate(heads):
        progress(case.case)
        anatomy = coarse_anatomy(Streams([case], foreground_of).anatomies[0])
        _paint_head(case, anatomy, place, disease, contrast, material)
    if len(material.labelled) < 2 or not material.test or not material.validation:
        raise InputError(
            f"a study needs two labelled subjects of contrast {contrast} in split '{TRAIN}', one in '{VALIDATION}' and "
            "one in 'test': list more scans, or eight label maps (column labels), from which such are painted"
        )
    return material


def _coarse_mask(case: Case) -> NDArray[np.bool_]:
    """A mask on the study's grid, cut to what is marked."""
    assert case.mask is not None
    scan = read_scan(case.mask)
    mask = mask_to_model(scan.array > 0, conform(scan))
    box = bounding_box(mask)
    return mask if box is None else coarse_mask(np.pad(mask[box], 1))


def _sort_in(case: Case, foreground_of: FindForeground, material: StudyMaterial) -> None:
    if case.kind not in ("labelled", "unlabelled") or case.extra.get("visit"):
        return
    if case.split not in (TRAIN, VALIDATION):
        where = material.test if case.kind == "labelled" else None
    elif case.split == VALIDATION:
        where = material.validation if case.kind == "labelled" else None
    else:
        where = material.labelled if case.kind == "labelled" else material.unlabelled
    if where is not None:
        where.append(StudyScan(coarse_scan(read_reference(case, foreground_of, unknown=True)), None))


def _paint_head(
    case: Case, anatomy: Anatomy, place: int, disease: Disease, contrast: str, material: StudyMaterial
) -> None:
    """Paint the scans of one head; of those that are learnt from, the second is one that nobody has drawn in."""

    def scan(name: str, ill: Disease | None, *, small: bool) -> StudyScan:
        rng = np.random.default_rng(zlib.crc32(name.encode()))
        return paint(name, case.subject, anatomy, ill, rng, sequence=contrast, small=small)

    sizes = [bool((place + number) % 2) for number in range(SCANS_OF_A_HEAD)]
    ill = [scan(f"{case.subject}_{'small' if small else 'large'}", disease, small=small) for small in sizes]
    role = ROLES[place % len(ROLES)]
    if role == "test":
        material.test += ill
    elif role == VALIDATION:
        material.validation += ill
    else:
        material.anatomies.append(anatomy)
        material.labelled += ill[:1]
        material.unlabelled += ill[1:]
        if len(material.normal) < NORMALS:
            material.normal.append(scan(f"{case.subject}_normal", None, small=False))
