"""One arm of a study of recipe ``shape``: generator, rounds, and what both are worth on scans of known truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pseudonormal.evaluate.rows import Row, digest
from pseudonormal.recipes.shape.checking import dice
from pseudonormal.recipes.shape.failures import signs
from pseudonormal.recipes.shape.labelling import Answer, Label, answer_of, label, pictures_in
from pseudonormal.recipes.shape.learning import (
    NETWORKS,
    Labelled,
    LearningOptions,
    LearningRecipe,
    answer_of_round,
)
from pseudonormal.recipes.shape.masks import some_of
from pseudonormal.recipes.shape.material import Framed, ShapeMaterial, pictures_of
from pseudonormal.recipes.shape.options import ShapeOptions
from pseudonormal.recipes.shape.recipe import ShapeRecipe
from pseudonormal.recipes.shape.rounds import best_of, rounds, to_learn
from pseudonormal.regions import connected
from pseudonormal.study.runner import Runner
from pseudonormal.training.settings import Settings
from pseudonormal.training.trainable import Trainable

GENERATOR = Settings(
    batch=4, learning_rate=1e-3, momentum=0.5, reuse=4, pool=200, workers=0, average=0.99, checks=4,
    checkpoint_every=10_000,
)  # fmt: skip
ROUND = replace(GENERATOR, batch=8, learning_rate=4e-3, momentum=0.9, checks=0)
ROUND_STEPS = 0.25  # of the generator's
ROUNDS = 2
VOLUMES = 2  # in a batch
AVERAGED = 400  # auxiliary masks
LOOKED_AT = 40  # pictures that the failure monitor is shown


@dataclass(frozen=True)
class Situation:
    """What a study learns from and judges on.

    :param name: as the table says it.
    :param material: scans to learn from, which keep their truth for the supervised bound, and scans to estimate on.
    :param test: judged; no subject of it is learnt from.
    :param options: of the generator.
    """

    name: str
    material: ShapeMaterial
    test: Sequence[Framed]
    options: ShapeOptions

    @property
    def fingerprint(self) -> str:
        """Changes with the scans."""
        scans = (*self.material.scans, *self.material.held_out, *self.test)
        return digest(*(part for scan in scans for part in (scan.case, scan.image)))


@dataclass(frozen=True)
class Arm:
    """What is left out or exchanged.

    :param name: as the table says it.
    :param generator: options of the generator that differ; arms that differ in none share it.
    :param learning: options of the rounds that differ.
    """

    name: str
    generator: Mapping[str, Any] = field(default_factory=dict)
    learning: Mapping[str, Any] = field(default_factory=dict)


def arm_row(situation: Situation, arm: Arm, runner: Runner, seed: int) -> Row:
    """Train and judge one arm with one seed.

    "pseudo", "rounds", "after": mean Dice on test scans of the generator, each round, and the round that the held-out
    estimate chose; "pseudo_learnt": of the pseudo-labels that the first round learns from; "pieces": share of the
    generator's masks in test slices that are in more than one piece before they are cleaned.
    """
    options = replace(situation.options, **arm.generator)
    flags = "-".join(sorted(arm.generator)) or "whole"
    name = f"{situation.name}_{flags}_{seed}".replace(" ", "_")
    recipe = ShapeRecipe(situation.material, options)
    # a PatchGAN needs no shape space: its generator gets as many steps as the others'
    steps = round(runner.steps * (1 - options.shape_share)) if options.patch_judge else runner.steps
    settings = fitting(GENERATOR, options.dimensions)
    generator = replace(runner, settings=settings, steps=steps).networks(name, recipe, seed)
    learning = LearningOptions(dimensions=options.dimensions, **arm.learning)
    of_round = f"{name}_{'-'.join(sorted(map(str, arm.learning))) or 'whole'}"
    teacher = round_runner(runner, options.dimensions)
    made = rounds(
        situation.material, generator, options, learning,
        lambda one, what, before: learnt_after(teacher, f"{of_round}_", one, what, before, seed), most=ROUNDS,
    )  # fmt: skip
    truths = [(scan, one) for scan, one in zip(situation.material.scans, made[0].labels, strict=True)]
    answers = [answer_of(generator), *(answer_of_round(one.networks, options.dimensions) for one in made[1:])]
    scores = [judged(answer, situation.test, options) for answer in answers]
    return {
        "situation": situation.name,
        "arm": arm.name,
        "seed": seed,
        "pseudo_learnt": float(
            np.mean([dice(one.mask, scan.truth, scan) for scan, one in truths if scan.truth is not None])
        ),
        "pseudo": scores[0],
        "rounds": scores[1:],
        "after": scores[best_of(made).number],
        "estimates": [one.estimate for one in made],
        "pieces": pieces(answers[0], situation.test, options),
        "warnings": warnings_of(made[0].labels, situation, options),
    }


def supervised_row(situation: Situation, runner: Runner, seed: int) -> Row:
    """The same segmentor with the true masks of the same scans, where they are known: what there is to reach."""
    options = situation.options
    teach = [with_truth(scan, scan.truth) for scan in situation.material.scans if scan.truth is not None]
    learning = LearningOptions(dimensions=options.dimensions, loss="dice")
    after = _segmentor_judged("supervised", teach, learning, situation, runner, seed)
    return {"situation": situation.name, "arm": SUPERVISED, "seed": seed, "after": after}


def average_row(situation: Situation, runner: Runner, seed: int) -> Row:
    """What place alone tells: the mean of auxiliary masks lies over every scan, and a segmentor learns from that.

    No generator: whatever the recipe is worth, it is worth beyond this.
    """
    options = situation.options
    mean = np.mean(some_of(situation.material.masks, options.shape, AVERAGED), 0, dtype=np.float32)

    def everywhere(picture: Tensor) -> Tensor:
        return torch.from_numpy(mean).expand_as(picture)

    scans = situation.material.scans
    labels = [label(everywhere, scan, dimensions=options.dimensions, one_piece=options.one_piece) for scan in scans]
    teach = [to_learn(scan, one) for scan, one in zip(scans, labels, strict=True)]
    after = _segmentor_judged("average", teach, LearningOptions(dimensions=options.dimensions), situation, runner, seed)
    return {
        "situation": situation.name,
        "arm": AVERAGE,
        "seed": seed,
        "pseudo": judged(everywhere, situation.test, options),
        "rounds": [after],
        "after": after,
    }


def _segmentor_judged(
    name: str, teach: Sequence[Labelled], learning: LearningOptions, situation: Situation, runner: Runner, seed: int
) -> float:
    """Mean Dice on test scans of one segmentor that learnt from these masks alone."""
    options = situation.options
    run = f"{situation.name}_{name}_{seed}".replace(" ", "_")
    teacher = round_runner(runner, options.dimensions)
    networks = teacher.networks(run, LearningRecipe(teach, learning), seed)
    return judged(answer_of_round(networks, options.dimensions), situation.test, options)


SUPERVISED, AVERAGE = "supervised", "mean of the auxiliary masks"
WHOLE = Arm("whole recipe")


def with_truth(scan: Framed, truth: NDArray[np.bool_]) -> Labelled:
    """A scan with its true mask, wholly trusted."""
    return Labelled(scan, truth, np.ones(len(truth), np.float32))


def round_runner(runner: Runner, dimensions: int) -> Runner:
    """Trains segmentors, in a share of the generator's steps."""
    return replace(runner, settings=fitting(ROUND, dimensions), steps=max(1, round(runner.steps * ROUND_STEPS)))


def fitting(settings: Settings, dimensions: int) -> Settings:
    """The same with fewer samples in a batch where they are volumes."""
    return replace(settings, batch=VOLUMES) if dimensions == 3 else settings


def learnt_after(
    runner: Runner, prefix: str, name: str, recipe: Trainable, before: str | None, seed: int
) -> Mapping[str, nn.Module]:
    """A round's networks, begun with those of the round before."""
    start = {} if before is None else {one: runner.run(prefix + before) / f"{one}.safetensors" for one in NETWORKS}
    return runner.networks(prefix + name, recipe, seed, start)


def judged(answer: Answer, test: Sequence[Framed], options: ShapeOptions) -> float:
    """Mean Dice over test scans, each alike."""
    labels = [label(answer, scan, dimensions=options.dimensions, one_piece=options.one_piece) for scan in test]
    return float(
        np.mean(
            [dice(one.mask, scan.truth, scan) for scan, one in zip(test, labels, strict=True) if scan.truth is not None]
        )
    )


def pieces(answer: Answer, test: Sequence[Framed], options: ShapeOptions) -> float:
    """Share of masks in more than one piece, before they are cleaned; in 2D slices by themselves."""
    labels = [label(answer, scan, dimensions=options.dimensions, one_piece=False) for scan in test]
    masks = [part for one in labels for part in pictures_in(one.probability >= 0.5, options.dimensions)]
    raw = [mask for mask in masks if mask.any()]
    return float(np.mean([connected(part)[1] > 1 for part in raw])) if raw else 0.0


def warnings_of(labels: Sequence[Label], situation: Situation, options: ShapeOptions) -> list[str]:
    """What the failure monitor says of the generator's masks."""
    pairs = [
        (labels[shown.scan].mask[shown.level if options.dimensions == 2 else slice(None)], shown.image)
        for shown in pictures_of(situation.material.scans, options.dimensions)
    ]
    pairs = pairs[:: max(1, len(pairs) // LOOKED_AT)]
    known = some_of(situation.material.masks, options.shape, len(pairs))
    return signs([mask for mask, _ in pairs], [image for _, image in pairs], known).warnings()
