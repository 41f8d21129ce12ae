"""Ablation: recipe ``smile`` with each loss and each stream left out once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from itertools import product

from pseudonormal.evaluate.rows import Row
from pseudonormal.recipes.smile.options import SmileOptions
from pseudonormal.recipes.smile.recipe import SmileRecipe
from pseudonormal.study.labels import BASE, smile_scores
from pseudonormal.study.material import StudyMaterial
from pseudonormal.study.runner import Runner
from pseudonormal.study.scores import Judge

STUDY = "ablation"
SHARE = 0.5  # of the masks: with all of them, unlabelled scans have little to add
WHOLE = "whole recipe"
# What is left out, and how that is said.
VARIANTS: dict[str, dict[str, object]] = {
    WHOLE: {},
    "stream: unlabelled scans": {"no_unlabelled": True},
    "stream: simulated lesions": {"no_simulation": True},
    "stream: drawn masks": {"labels": 0.0},
    "loss: simulated lesions restored": {"sim_weight": 0.0},
    "loss: lesions found": {"seg_weight": 0.0},
    "loss: agreement with the teacher": {"unl_weight": 0.0},
    "loss: identity outside the mask": {"id_weight": 0.0},
    "loss: nothing found after healing": {"heal_weight": 0.0},
    "loss: painter's cycle": {"no_painter": True},
    "loss: adversary": {"no_adversary": True},
    "oracle mask (predicted instead)": {"mask": "predicted"},
    "stream: normal tissue": {"no_normal": True},
}


def ablation_study(material: StudyMaterial, judge: Judge, runner: Runner, seeds: Sequence[int]) -> None:
    """Train every variant with every seed."""
    for seed, (place, without) in runner.own(product(seeds, enumerate(VARIANTS))):
        _row(material, judge, runner, seed, place, without)


def _row(material: StudyMaterial, judge: Judge, runner: Runner, seed: int, place: int, without: str) -> Row:
    name = f"ablation_{place:02d}_{seed}"

    def make() -> Row:
        chosen = asdict(BASE) | {"labels": SHARE, "label_seed": seed} | VARIANTS[without]
        networks = runner.networks(name, SmileRecipe(material.for_training(), SmileOptions(**chosen)), seed)
        return {"without": without, "seed": seed, "steps": runner.steps_of(name)} | smile_scores(judge, networks)

    return runner.row(STUDY, name, make)
