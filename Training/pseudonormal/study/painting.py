"""Subjects that are painted from label maps, with a disease of known outline and truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import ndimage

from pseudonormal.intensity import scale_from
from pseudonormal.lesions.in_place import BrainFrame, InPlace
from pseudonormal.lesions.shapes import ShapeSource, SmoothBlob
from pseudonormal.lesions.source import EDGE, LesionSource
from pseudonormal.painting.contrast import draw_contrast, known_sequence
from pseudonormal.painting.render import render
from pseudonormal.painting.tissues import GROUPS
from pseudonormal.regions import bounding_box, connected
from pseudonormal.scan.scan import Geometry
from pseudonormal.training.anatomies import Anatomy
from pseudonormal.training.references import Reference

VOXEL_MM = 2.0
MARGIN = 4  # voxels kept around the brain
NEAR_LESIONS = 2  # voxels: a drawn border is right to a few millimetres
LARGE = (1, 3)
LARGE_ML = (2.0, 30.0)
LOOK_ALIKES = (3, 9)  # bright spots in cortex that are no lesions: nothing but masks can say so
LOOK_ALIKE_ML = (0.1, 1.0)
STRENGTH = (0.25, 0.5)  # of white matter's 0.6: plain to see for a radiologist
WHITE, GREY = ("white_matter", "cerebellum_white"), ("cortex", "cerebellum_cortex", "limbic")


@dataclass(frozen=True)
class Disease:
    """What lesions look like in painted subjects.

    :param shapes: of the large ones.
    :param in_place: of the small ones, where they lie.
    """

    shapes: list[ShapeSource]
    in_place: InPlace


@dataclass(frozen=True)
class StudyScan:
    """A scan of the study, on a grid of ``VOXEL_MM``.

    :param reference: with its lesions, drawn or painted.
    :param truth: (D, H, W) scaled intensities without the lesions; None where nobody knows.
    """

    reference: Reference
    truth: NDArray[np.float32] | None

    @property
    def kind(self) -> str:
        """How it came about: "real" or "painted"."""
        return "real" if self.truth is None else "painted"


def coarse_anatomy(anatomy: Anatomy) -> Anatomy:
    """A label map at twice its voxels, cut to the brain."""
    groups, brain = anatomy.groups[::2, ::2, ::2], anatomy.brain[::2, ::2, ::2]
    box = bounding_box(brain)
    assert box is not None, "anatomies have a brain"
    near = tuple(slice(max(0, s.start - MARGIN), s.stop + MARGIN) for s in box)
    return Anatomy(np.ascontiguousarray(groups[near]), np.ascontiguousarray(brain[near]))


def paint(
    case: str,
    subject: str,
    anatomy: Anatomy,
    disease: Disease | None,
    rng: Generator,
    *,
    sequence: str = "flair",
    small: bool = False,
) -> StudyScan:
    """Paint a scan of a head.

    :param anatomy: from :func:`coarse_anatomy`.
    :param sequence: the contrast; of one that nobody knows how to paint, a contrast that follows nothing known.
    :param disease: None: a normal subject.
    :param small: many small lesions at their places instead of some large ones.
    """
    drawn = draw_contrast(rng, known_sequence(sequence) or "random")
    truth = render(anatomy.groups, drawn, rng, voxel_mm=VOXEL_MM)
    truth = _with_look_alikes(truth, anatomy, rng)
    image, lesion = truth, np.zeros(truth.shape, bool)
    if disease is not None:
        draw = _small_lesions if small and len(disease.in_place) else _large_lesions
        image, lesion = draw(truth, anatomy, disease, rng)
    doubtful = ndimage.binary_dilation(lesion, iterations=NEAR_LESIONS) if lesion.any() else lesion.copy()
    scale = scale_from(image, anatomy.brain, doubtful)
    reference = Reference(case, scale.apply(image), anatomy.brain, lesion, doubtful, contrast=sequence, subject=subject)
    return StudyScan(reference, scale.apply(truth))


def study_geometry(array: NDArray) -> Geometry:
    """The grid of an array of the study, RAS axes."""
    depth, height, width = array.shape
    return Geometry((width, height, depth), (VOXEL_MM,) * 3, (0.0, 0.0, 0.0), (-1, 0, 0, 0, -1, 0, 0, 0, 1))


def _with_look_alikes(image: NDArray[np.float32], anatomy: Anatomy, rng: Generator) -> NDArray[np.float32]:
    source = LesionSource([SmoothBlob()], {"spot": _bright})
    grey = ndimage.binary_dilation(_tissue(anatomy, GREY)) & anatomy.brain
    for _ in range(int(rng.integers(*LOOK_ALIKES, endpoint=True))):
        spot = source.sample(image, grey, rng, family="spot", volume_ml=_voxels(LOOK_ALIKE_ML))
        image = image if spot is None else spot.image
    return image


def _large_lesions(
    truth: NDArray[np.float32], anatomy: Anatomy, disease: Disease, rng: Generator
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Some, in white matter and around."""
    source = LesionSource(disease.shapes, {"lesion": _bright})
    image, lesion = truth, np.zeros(truth.shape, bool)
    around = ndimage.binary_dilation(_tissue(anatomy, WHITE), iterations=2) & anatomy.brain
    for _ in range(int(rng.integers(*LARGE, endpoint=True))):
        drawn = source.sample(image, around & ~lesion, rng, family="lesion", volume_ml=_voxels(LARGE_ML))
        if drawn is not None:
            image, lesion = drawn.image, lesion | (drawn.opacity > 0.5)
    return image, lesion


def _small_lesions(
    truth: NDArray[np.float32], anatomy: Anatomy, disease: Disease, rng: Generator
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Many, where another subject had them."""
    carried = disease.in_place.draw(BrainFrame.of(anatomy.brain), (0, 0, 0), truth.shape, rng) * anatomy.brain
    image, lesion = truth.copy(), np.zeros(truth.shape, bool)
    labels, _ = connected(carried > EDGE)
    for number, box in enumerate(ndimage.find_objects(labels), start=1):
        opacity = np.where(labels[box] == number, carried[box], 0).astype(np.float32)
        if opacity.max() <= 0.5:  # nobody would draw it
            continue
        painted, _ = _bright(truth[box], opacity, rng)
        image[box] = np.where(opacity > 0, painted, image[box])
        lesion[box] |= opacity > 0.5
    return image, lesion


def _bright(
    truth: NDArray[np.float32], opacity: NDArray[np.float32], rng: Generator
) -> tuple[NDArray[np.float32], dict[str, Any]]:
    """An appearance family (see ``lesions.appearance``): brighter than the tissue under it."""
    strength = float(rng.uniform(*STRENGTH))
    return truth + np.float32(strength) * opacity, {"strength": strength}


def _tissue(anatomy: Anatomy, names: tuple[str, ...]) -> NDArray[np.bool_]:
    return np.isin(anatomy.groups, [list(GROUPS).index(name) for name in names]) & anatomy.brain


def _voxels(ml: tuple[float, float]) -> tuple[float, float]:
    """A range of volumes as the lesion source counts it, which takes every voxel for 1 mm³."""
    return ml[0] / VOXEL_MM**3, ml[1] / VOXEL_MM**3
