"""The paper's second situation, in whole volumes: the brain in heads, with masks of other subjects' brains."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from pseudonormal.cases import Case
from pseudonormal.errors import InputError
from pseudonormal.intensity import scale_from
from pseudonormal.painting.contrast import draw_contrast
from pseudonormal.painting.render import render
from pseudonormal.recipes.shape.frame import Frame
from pseudonormal.recipes.shape.masks import KnownMasks
from pseudonormal.recipes.shape.material import Framed, ShapeMaterial
from pseudonormal.recipes.shape.options import ShapeOptions
from pseudonormal.recipes.shape.reading import AIR
from pseudonormal.regions import bounding_box, largest
from pseudonormal.scan.conform import conform
from pseudonormal.scan.reading import read_scan
from pseudonormal.study.runner import Runner
from pseudonormal.study.shapes.arm import WHOLE, Situation, arm_row, average_row, supervised_row
from pseudonormal.training.references import FindForeground
from pseudonormal.training.streams import Streams

STUDY = "shape-organ"
EDGE, VOXEL_MM = 32, 6.75
SKULL_MM = 99.0  # of the head, from the vertex down: what noise, nose and neck do not move
COARSE = 3  # voxels of 1 mm: what a head's place is found in
AIR_ABOVE = 1  # frame voxels
CONTRAST = "t1"
OPTIONS = ShapeOptions(
    dimensions=3,
    edge=EDGE,
    voxel_mm=VOXEL_MM,
    region="head",
    width=8,
    shape_share=0.6,
    prior_weight=5.0,
    image_weight=10.0,  # brain is neither the darkest nor the brightest: what is only dark brings no head back
)
REAL_TEST = "chris_t1"


def organ_situation(
    cases: Sequence[Case], foreground_of: FindForeground, progress: Callable[[str], None] = lambda _: None
) -> Situation:
    """Real T1-weighted heads and such as are painted from label maps.

    Of the label maps, by subject, every third lends its brain mask and no scan; of the others one in three is judged.
    One real head is judged, all others are learnt from. What stands as the truth of a real head is what the shipped
    model finds, for nobody has drawn it.

    :raises InputError: too few heads.
    """
    masks: list[NDArray[np.bool_]] = []
    learnt: list[Framed] = []
    test: list[Framed] = []
    heads = sorted((case for case in cases if case.extra.get("labels")), key=lambda case: case.subject)
    for place, case in enumerate(heads):
        progress(case.case)
        anatomy = Streams([case], foreground_of).anatomies[0]
        if place % 3 == 0:
            masks.append(_frame(anatomy.groups > 0).mask(anatomy.brain))
            continue
        rng = np.random.default_rng([place, 3])
        image = render(anatomy.groups, draw_contrast(rng, CONTRAST), rng)
        (test if place % 9 == 1 else learnt).append(_head(case.case, image, anatomy.brain))
    for case in cases:
        if case.kind == "normal" and case.extra.get("contrast", "") == CONTRAST and case.image is not None:
            image = conform(read_scan(case.image)).image
            brain = foreground_of(image)
            if _stripped(image, brain):
                continue
            progress(case.case)
            (test if case.case == REAL_TEST else learnt).append(_head(case.case, image, brain))
    if len(masks) < 2 or len(learnt) < 3 or not test:
        raise InputError(
            "a study of organs needs six label maps (column labels) and whole T1-weighted heads, normal ones"
        )
    held_out, learnt = learnt[:1], learnt[1:]
    known = KnownMasks(masks)
    return Situation("brain", ShapeMaterial(learnt, known, held_out, placed=known), test, OPTIONS)


def organ_study(situation: Situation, runner: Runner, seeds: Sequence[int]) -> None:
    """The whole recipe beside supervised learning, and beside what place alone tells."""
    for seed in runner.own(seeds):
        runner.row(STUDY, f"brain_supervised_{seed}", partial(supervised_row, situation, runner, seed))
        runner.row(STUDY, f"brain_average_{seed}", partial(average_row, situation, runner, seed))
        runner.row(STUDY, f"brain_whole_{seed}", partial(arm_row, situation, WHOLE, runner, seed))


def _head(case: str, image: NDArray[np.float32], brain: NDArray[np.bool_]) -> Framed:
    """A head in the frame; what the scan does not show counts for nothing."""
    scaled = np.clip(scale_from(image, np.ones(image.shape, bool)).apply(image), 0, 1.2).astype(np.float32)
    frame = _frame(scaled > AIR)
    return Framed(case, frame.image(scaled), frame.mask(np.ones(image.shape, bool)), frame.mask(brain), frame)


def _frame(head: NDArray[np.bool_]) -> Frame:
    """The vertex at its upper end, the skull's middle from left to right and front to back."""
    small = largest(ndimage.binary_opening(head[::COARSE, ::COARSE, ::COARSE], iterations=2))
    top = bounding_box(small)
    assert top is not None
    skull = bounding_box(small[: top[0].stop][-round(SKULL_MM / COARSE) :])
    assert skull is not None
    y, x = (COARSE * (axis.start + axis.stop - 1) / 2 for axis in skull[1:])
    vertex = COARSE * (top[0].stop - 1) + COARSE // 2
    return Frame((vertex - (EDGE / 2 - AIR_ABOVE) * VOXEL_MM, y, x), (EDGE,) * 3, VOXEL_MM)


def _stripped(image: NDArray[np.float32], brain: NDArray[np.bool_]) -> bool:
    """Whether hardly anything is shown beside the brain: then there is nothing to find."""
    scaled = scale_from(image, np.ones(image.shape, bool)).apply(image)
    return bool((scaled > AIR).sum() < 1.3 * brain.sum())
