"""Noise robustness alone: half of the training masks are dilated, eroded or shifted."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import product

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import ndimage

from pseudonormal.evaluate.rows import Row
from pseudonormal.painting.ovals import Kind
from pseudonormal.recipes.shape.labelling import agreement, label
from pseudonormal.recipes.shape.learning import (
    LOSSES,
    Labelled,
    LearningOptions,
    LearningRecipe,
    answer_of_round,
)
from pseudonormal.study.runner import Runner
from pseudonormal.study.shapes.arm import Situation, judged, round_runner, with_truth
from pseudonormal.study.shapes.simple import simple_situation

STUDY = "shape-noise"
KIND: Kind = "head"
LEARNT = 60  # masks: with many, random errors average out
SHARE = 0.5
WIDEST = (3, 6)  # voxels of a frame of 48
CLEAN = "no noise, dice"


def noise_study(runner: Runner, seeds: Sequence[int]) -> None:
    """The noise-weighted Dice and its controls on the same spoilt masks; and plain Dice on the true ones."""
    for loss, seed in runner.own(product((CLEAN, *LOSSES), seeds)):
        name = f"noise_{loss}_{seed}".replace(" ", "_").replace(",", "")
        runner.row(STUDY, name, partial(_row, simple_situation(KIND, seed), runner, seed, loss, name))


def spoilt(mask: NDArray[np.bool_], rng: Generator) -> NDArray[np.bool_]:
    """A mask dilated, eroded or shifted by a few voxels; (H, W), never emptied."""
    far = int(rng.integers(*WIDEST, endpoint=True))
    kind = rng.choice(["dilated", "eroded", "shifted"])
    if kind == "dilated":
        return ndimage.binary_dilation(mask, iterations=far)
    if kind == "eroded":
        eroded = ndimage.binary_erosion(mask, iterations=far)
        return eroded if eroded.any() else mask
    angle = rng.uniform(0, 2 * np.pi)
    return ndimage.shift(mask.astype(np.uint8), far * np.array([np.sin(angle), np.cos(angle)]), order=0) > 0


def _row(situation: Situation, runner: Runner, seed: int, loss: str, name: str) -> Row:
    rng = np.random.default_rng([seed, 7])
    teach = []
    for scan in situation.material.scans[:LEARNT]:
        assert scan.truth is not None, "drawn pictures know their masks"
        one = with_truth(scan, scan.truth)
        if loss != CLEAN and rng.random() < SHARE:
            one = Labelled(scan, spoilt(one.mask[0], rng)[None], one.trust)
        teach.append(one)
    options = LearningOptions(dimensions=2, loss="dice" if loss == CLEAN else loss)
    networks = round_runner(runner, 2).networks(name, LearningRecipe(teach, options), seed)
    answer = answer_of_round(networks, 2)
    held_out = [label(answer, scan, dimensions=2, one_piece=True) for scan in situation.material.held_out]
    return {
        "loss": loss,
        "seed": seed,
        "after": judged(answer, situation.test, situation.options),
        "estimate": agreement(held_out),
    }
