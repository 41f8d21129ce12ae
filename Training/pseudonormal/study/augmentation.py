"""How much better a segmentor gets by scans made with recipe ``smile``; beside none and the usual augmentation."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from numpy.random import Generator

from pseudonormal.errors import InputError
from pseudonormal.evaluate.rows import Row
from pseudonormal.lesions.source import LesionSource
from pseudonormal.recipes.smile.augmentation import Augmentation
from pseudonormal.recipes.smile.material import SmileMaterial, with_share_of_labels
from pseudonormal.study.labels import run_name, smile_networks_of
from pseudonormal.study.material import StudyMaterial
from pseudonormal.study.painting import VOXEL_MM
from pseudonormal.study.runner import Runner
from pseudonormal.study.scores import DIMENSIONS, Judge
from pseudonormal.study.segmentor import Augment, SegmentorRecipe, Transplanting, with_lesions
from pseudonormal.training.references import Reference

STUDY = "augmentation"
SHARE = 0.25  # of the masks: augmentation is for those who have few
ARMS = ("none", "transplant", "simulated", "pseudo_normal")
SMILE_ARM = "pseudo_normal"
BATCH = 6  # of slices: recipe smile has as many rows in a batch
LESIONS = (1, 3)
VOLUME_ML = (0.5, 25.0)


def augmentation_study(material: StudyMaterial, judge: Judge, runner: Runner, seeds: Sequence[int]) -> None:
    """Train the segmentor in each arm with each seed; the seed decides which masks there are.

    The arm ``pseudo_normal`` takes the networks of the label study's training with as many masks and unlabelled
    scans, and trains them if they are not there. It makes scans of the unlabelled ones too: only without their
    lesions, which nobody has drawn, are they of use to a segmentor.

    :raises InputError: they are not there, and another process may just be training them.
    """
    for seed, arm in runner.own(product(seeds, ARMS)):
        _row(material, judge, runner, seed, arm)


def _row(material: StudyMaterial, judge: Judge, runner: Runner, seed: int, arm: str) -> Row:
    name = f"augmentation_{arm}_{seed}"

    def make() -> Row:
        few = with_share_of_labels(material.for_training(), SHARE, seed)
        recipe = SegmentorRecipe(few.labelled, _augment(arm, few, material, runner, seed))
        segmentor = runner.networks(name, recipe, seed, batch=BATCH)["lesion"]
        threshold = judge.threshold(segmentor)
        facts: Row = {"arm": arm, "seed": seed, "steps": runner.steps_of(name), "threshold": threshold}
        return facts | {"scores": judge.found(segmentor, threshold)}

    return runner.row(STUDY, name, make)


def _augment(arm: str, few: SmileMaterial, material: StudyMaterial, runner: Runner, seed: int) -> Augment | None:
    if arm == "none":
        return None
    if arm == "transplant":
        return Transplanting(few.labelled)
    if arm == "simulated":
        return _simulating(few)
    if runner.part[1] > 1 and not runner.ended(run_name(seed, SHARE, unlabelled=True)):
        raise InputError(f"{runner.out}: let 'study labels' end before 'study augmentation' is shared among processes")
    networks = smile_networks_of(material, runner, seed, SHARE, unlabelled=True)
    scans = [*few.labelled, *few.unlabelled]
    return Augmentation(networks, scans, few.lesion_shapes(), dimensions=DIMENSIONS, voxel_ml=VOXEL_MM**3 / 1000)


def _simulating(few: SmileMaterial) -> Augment:
    """Lesions of all appearance families in normal tissue, the scan's own lesions left as they are."""
    source = LesionSource(few.lesion_shapes())
    low, high = (ml / VOXEL_MM**3 for ml in VOLUME_ML)

    def augment(rng: Generator) -> Reference:
        scan = few.labelled[int(rng.integers(len(few.labelled)))]
        assert scan.lesion is not None
        image, lesion = scan.image, scan.lesion.copy()
        for _ in range(int(rng.integers(*LESIONS, endpoint=True))):
            drawn = source.sample(image, scan.brain & ~scan.doubtful & ~lesion, rng, volume_ml=(low, high))
            if drawn is not None:
                image, lesion = drawn.image, lesion | (drawn.opacity > 0.5)
        return with_lesions(scan, image, lesion)

    return augment
