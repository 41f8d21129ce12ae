"""Label efficiency: how good networks get with a share of the masks, with and without unlabelled scans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from itertools import product
from typing import Any

from pseudonormal.evaluate.rows import Row
from pseudonormal.recipes.smile.options import SmileOptions
from pseudonormal.recipes.smile.recipe import SmileRecipe
from pseudonormal.study.material import StudyMaterial
from pseudonormal.study.runner import Runner
from pseudonormal.study.scores import Judge

STUDY = "labels"
SHARES = (0.1, 0.25, 0.5, 1.0)
# At 2 mm a slice of a brain fits into this patch. Ramps begin early: a study's trainings are short.
BASE = SmileOptions(
    dimensions=2, patch=96, unl_begin=0.2, unl_end=0.5, heal_begin=0.2, heal_end=0.5, adv_begin=0.5, adv_end=0.7
)


def label_study(material: StudyMaterial, judge: Judge, runner: Runner, seeds: Sequence[int]) -> None:
    """Train recipe ``smile`` for each share, with and without unlabelled scans, and each seed.

    The seed also decides which masks are kept: the same ones with and without unlabelled scans.
    """
    for seed, share, unlabelled in runner.own(product(seeds, SHARES, (False, True))):
        _row(material, judge, runner, seed, share, unlabelled)


def _row(material: StudyMaterial, judge: Judge, runner: Runner, seed: int, share: float, unlabelled: bool) -> Row:
    """The row of one training."""
    name = run_name(seed, share, unlabelled)

    def make() -> Row:
        networks = smile_networks_of(material, runner, seed, share, unlabelled)
        facts = {"share": share, "unlabelled": unlabelled, "seed": seed, "steps": runner.steps_of(name)}
        return facts | smile_scores(judge, networks)

    return runner.row(STUDY, name, make)


def smile_networks_of(
    material: StudyMaterial, runner: Runner, seed: int, share: float, unlabelled: bool
) -> dict[str, Any]:
    """The networks of one training."""
    options = SmileOptions(**asdict(BASE) | {"labels": share, "label_seed": seed, "no_unlabelled": not unlabelled})
    recipe = SmileRecipe(material.for_training(), options)
    return runner.networks(run_name(seed, share, unlabelled), recipe, seed)


def smile_scores(judge: Judge, networks: dict[str, Any]) -> Row:
    """What the judge says of segmentor and restorer: "threshold", and "scores" for each test scan."""
    threshold = judge.threshold(networks["lesion"])
    found, restored = judge.found(networks["lesion"], threshold), judge.restored(networks)
    return {"threshold": threshold, "scores": [a | b for a, b in zip(found, restored, strict=True)]}


def run_name(seed: int, share: float, unlabelled: bool) -> str:
    """Of a training in the study's folder."""
    return f"labels_{round(100 * share):03d}_{'with' if unlabelled else 'without'}_{seed}"
