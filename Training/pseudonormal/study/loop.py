"""The loop: an annotator corrects seed masks case after case, the model learns from them, and so on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from pseudonormal.evaluate.detection import dice
from pseudonormal.evaluate.rows import Row
from pseudonormal.generate.brain import measure_brain
from pseudonormal.generate.findings import find
from pseudonormal.intensity import robust_z_scale
from pseudonormal.recipes.detection import without_crumbs
from pseudonormal.recipes.smile.recipe import SmileRecipe
from pseudonormal.store.diversity import apart, descriptor
from pseudonormal.store.urgency import priority_of
from pseudonormal.study.labels import BASE, smile_scores
from pseudonormal.study.material import StudyMaterial
from pseudonormal.study.painting import StudyScan, study_geometry
from pseudonormal.study.runner import Runner
from pseudonormal.study.scores import Judge, lesion_probability_of

STUDY = "loop"
ORDERS = ("active", "random")
FIRST = 2  # cases that are drawn from nothing, before the first training
CASES_A_ROUND = 3
ROUNDS = 4
LEAST_VOXELS = 3  # of a seed mask's region; smaller ones are crumbs


@dataclass(frozen=True)
class Proposal:
    """What the model proposes for a case, and what the worklist is told of it.

    :param wrong: voxels in which the seed mask differs from the truth: what an annotator changes.
    """

    case: str
    wrong: int
    dice: float
    report: dict[str, Any]


def loop_study(material: StudyMaterial, judge: Judge, runner: Runner, seeds: Sequence[int]) -> None:
    """Run the loop in both orders with every seed; both begin with the same cases and the same model."""
    for seed in runner.own(seeds):  # both orders of a seed share their first training
        for order in ORDERS:
            _Loop(material, judge, runner, seed, order).run()


class _Loop:
    """One loop: which cases are drawn so far follows from the rows, so that it goes on after a break."""

    def __init__(self, material: StudyMaterial, judge: Judge, runner: Runner, seed: int, order: str) -> None:
        self._material, self._judge, self._runner, self._seed, self._order = material, judge, runner, seed, order
        self._pool = [scan for scan in (*material.labelled, *material.unlabelled) if scan.reference.lesion is not None]

    def run(self) -> None:
        begin = np.random.default_rng([self._seed, 11]).permutation(len(self._pool))[:FIRST]
        drawn = {self._pool[int(place)].reference.case for place in begin}
        start: dict[str, Path] = {}
        for number in range(ROUNDS + 1):
            name = f"loop_{self._order if number else 'begin'}_{number}_{self._seed}"
            row = self._round(name, number, frozenset(drawn), start)
            drawn |= {str(case["case"]) for case in row["taken"]}  # type: ignore[attr-defined]  # a list of JSON's
            folder = self._runner.run(name)
            start = {path.stem: path for path in sorted(folder.glob("*.safetensors"))}

    def _round(self, name: str, number: int, drawn: frozenset[str], start: dict[str, Path]) -> Row:
        """Train on what is drawn, judge, and have the next cases corrected."""

        def make() -> Row:
            references = [scan.reference for scan in self._pool if scan.reference.case in drawn]
            recipe = SmileRecipe(self._material.for_training(references), BASE)
            networks = self._runner.networks(name, recipe, self._seed + 100 * number, start)
            scores = smile_scores(self._judge, networks)
            proposals = [_propose(networks["lesion"], scan, float(str(scores["threshold"]))) for scan in self._pool]
            waiting = [place for place, one in enumerate(proposals) if one.case not in drawn]
            next_ones = self._in_turn(proposals, waiting, number)[:CASES_A_ROUND] if number < ROUNDS else []
            return {
                "order": self._order,
                "round": number,
                "seed": self._seed,
                "steps": self._runner.steps_of(name),
                "drawn": len(drawn),
                "wrong_waiting": float(np.mean([proposals[place].wrong for place in waiting])),
                "dice_waiting": float(np.mean([proposals[place].dice for place in waiting])),
                "taken": [
                    {"case": proposals[place].case, "wrong": proposals[place].wrong, "dice": proposals[place].dice}
                    for place in next_ones
                ],
                **scores,
            }

        # both orders begin with the same training, but take other cases after it
        return self._runner.row(STUDY, f"loop_{self._order}_{number}_{self._seed}", make)

    def _in_turn(self, proposals: Sequence[Proposal], waiting: list[int], number: int) -> list[int]:
        """Cases that wait, in the order of the worklist."""
        if self._order == "random":
            return [waiting[int(n)] for n in np.random.default_rng([self._seed, number]).permutation(len(waiting))]
        descriptors = np.stack([descriptor(one.report) for one in proposals])
        worth = np.array([priority_of(one.report) for one in proposals])
        seen = [place for place in range(len(proposals)) if place not in waiting]
        return [place for place, _ in apart(descriptors, worth, seen)]


def _propose(segmentor: nn.Module, scan: StudyScan, threshold: float) -> Proposal:
    """A seed mask, and the report that the engine would write of it.

    Differences are to the brain's median, for nothing is restored here.
    """
    reference = scan.reference
    assert reference.lesion is not None
    probability = lesion_probability_of(segmentor, scan)
    seed = without_crumbs(probability >= threshold, LEAST_VOXELS)
    truth = reference.lesion & reference.brain
    geometry = study_geometry(seed)
    median, sigma = robust_z_scale(reference.image, reference.brain)
    z = (reference.image - median) / np.float32(sigma)
    findings, _ = find(seed, geometry, z, reference.brain, probability)
    brain = measure_brain(reference.image, reference.brain, seed, sigma, geometry, probability)
    report = {"findings": [asdict(finding) for finding in findings], "brain": asdict(brain)}
    return Proposal(reference.case, int((seed ^ truth).sum()), dice(seed, truth), report)
