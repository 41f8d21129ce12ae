"""A complex shape on real scans: tumours on FLAIR, with simulated lesions of real shape as auxiliary masks."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from pseudonormal.lesions.source import LesionSource
from pseudonormal.recipes.shape.frame import Frame
from pseudonormal.recipes.shape.masks import SimulatedLesions
from pseudonormal.recipes.shape.material import Framed, ShapeMaterial
from pseudonormal.recipes.shape.options import ShapeOptions
from pseudonormal.study.material import StudyMaterial
from pseudonormal.study.painting import VOXEL_MM, StudyScan
from pseudonormal.study.runner import Runner
from pseudonormal.study.shapes.arm import WHOLE, Situation, arm_row, average_row, supervised_row

STUDY = "shape-lesion"
EDGE = 48
STEP = 2.0  # voxels of the study's grid in one of the frame
LESION_ML = (3.0, 150.0)
LEAST_ML = 3.0  # of all lesions: scans with less are no tumours
OPTIONS = ShapeOptions(
    dimensions=2, edge=EDGE, voxel_mm=STEP * VOXEL_MM, width=8, shape_share=0.7, prior_weight=2.0, image_weight=3.0,
    empty=0.4, one_piece=False, source="lesions",
)  # fmt: skip


def lesion_situation(material: StudyMaterial) -> Situation:
    """Scans with large lesions: painted ones and real ones to learn from, real gliomas to judge on."""
    learnt = [in_frame(scan) for scan in (*material.labelled, *material.unlabelled) if is_large(scan)]
    held_out = [in_frame(scan) for scan in material.validation if is_large(scan)]
    test = [in_frame(scan) for scan in material.test if is_large(scan) and scan.kind == "real"]
    brains = [scan.region for scan in learnt]
    masks = SimulatedLesions(LesionSource(material.shapes), brains, LESION_ML, OPTIONS.voxel_mm)
    return Situation("tumour", ShapeMaterial(learnt, masks, held_out), test, OPTIONS)


def lesion_study(material: StudyMaterial, runner: Runner, seeds: Sequence[int]) -> None:
    """The whole recipe beside supervised learning, and beside what place alone tells."""
    situation = lesion_situation(material)
    for seed in runner.own(seeds):
        runner.row(STUDY, f"tumour_supervised_{seed}", partial(supervised_row, situation, runner, seed))
        runner.row(STUDY, f"tumour_average_{seed}", partial(average_row, situation, runner, seed))
        runner.row(STUDY, f"tumour_whole_{seed}", partial(arm_row, situation, WHOLE, runner, seed))


def is_large(scan: StudyScan) -> bool:
    """Whether its lesions are large enough for a tumour, or nobody knows."""
    lesion = scan.reference.lesion
    return lesion is None or float(lesion.sum()) * VOXEL_MM**3 >= 1000 * LEAST_ML


def in_frame(scan: StudyScan) -> Framed:
    """A study's scan in the frame."""
    reference = scan.reference
    frame = Frame.around(reference.brain, EDGE, STEP)
    image = (reference.image * reference.brain).clip(0, 1.2)
    truth = None if reference.lesion is None else frame.mask(reference.lesion & reference.brain)
    return Framed(reference.case, frame.image(image), frame.mask(reference.brain), truth, frame)
