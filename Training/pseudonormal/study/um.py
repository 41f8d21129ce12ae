"""Recipe ``um`` measured: guided by unsupervised masks and by drawn ones, ablated, and put to use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import cached_property
from typing import Any

import numpy as np

from pseudonormal.evaluate.realism import Features
from pseudonormal.evaluate.rows import Row
from pseudonormal.evaluate.slices import slices_of
from pseudonormal.recipes.synthesizer import Synthetic
from pseudonormal.recipes.um.cuts import Cuts
from pseudonormal.recipes.um.material import UmMaterial, sorted_units
from pseudonormal.recipes.um.options import UmOptions
from pseudonormal.recipes.um.recipe import UmRecipe
from pseudonormal.recipes.um.synthesizing import SLAB, UmSynthesizer
from pseudonormal.study.material import StudyMaterial
from pseudonormal.study.runner import Runner
from pseudonormal.study.scores import Judge
from pseudonormal.study.segmentor import SegmentorRecipe
from pseudonormal.study.um_arms import SyntheticScans, drawn_slices
from pseudonormal.study.um_measures import (
    features,
    memory,
    moved,
    raised,
    slices_made,
    through_its_guide,
    truth_and_variety,
)

STUDY = "um"
LABELS = 5  # drawn slices
SLABS = 120  # made by each generator, of three slices
BATCH = 1  # row of each stream
SEGMENTOR_BATCH = 6
BASE = UmOptions(width=12, labels=LABELS)
UM, IMPLANTED, MASK = "unsupervised mask", "unsupervised mask, lesions put in", "drawn mask"
GUIDES: dict[str, dict[str, Any]] = {UM: {}, IMPLANTED: {}, MASK: {"guide": "mask"}}
TRAINED_AS = {IMPLANTED: UM}  # the same generator, at work in another way
NO_SYNTHESIS = "none"
ARMS = (NO_SYNTHESIS, *GUIDES)
# What is changed, and how that is said; granularity is 10 otherwise.
ABLATIONS: dict[str, dict[str, Any]] = {
    "no gate": {"no_gate": True},
    "no boundaries": {"no_boundary": True},
    "granularity 5": {"granularity": 5},
    "granularity 20": {"granularity": 20},
    "supervised only": {"no_unlabelled": True},
}


def um_study(material: StudyMaterial, _: Judge, runner: Runner, seeds: Sequence[int]) -> None:
    """Train and judge generators of both guides and segmentors with each seed, and ablations with the first.

    Real scans only: painted heads have the grain that they were painted with. The seed also decides which five slices
    of the training subjects count as drawn. Processes share seeds, for a segmentor needs its seed's generators.
    """
    runner.settings = replace(runner.settings, checks=1)
    bench = _Bench(material, runner)
    for seed in runner.own(seeds):
        for guide, changed in GUIDES.items():
            bench.generator_row(guide, changed, seed)
        for arm in ARMS:
            bench.segmentor_row(arm, seed)
    for ablation in runner.own(ABLATIONS):
        bench.generator_row(ablation, ABLATIONS[ablation], seeds[0])


class _Bench:
    """The study's scans, and what is worked out from them once."""

    def __init__(self, material: StudyMaterial, runner: Runner) -> None:
        real = {
            name: [scan for scan in getattr(material, name) if scan.kind == "real"]
            for name in ("labelled", "unlabelled", "validation", "test")
        }
        self._runner, self._cuts = runner, Cuts()
        self._judge = Judge(real["validation"], real["test"], material.shapes)
        self._training = [scan.reference for name in ("labelled", "unlabelled") for scan in real[name]]
        self._validation = [scan.reference for scan in real["validation"]]
        self._test = [scan.reference for scan in real["test"]]

    def generator_row(self, name: str, changed: dict[str, Any], seed: int) -> Row:
        """Train a generator and judge it."""

        def make() -> Row:
            options = self._options(changed, seed)
            generator = self._generator(name, changed, seed)
            made = slices_made(self._made(name, changed, seed))
            row: Row = {"what": name, "seed": seed, "steps": self._runner.steps_of(_run(name, seed))}
            row["again"] = [through_its_guide(generator, options, scan, self._cuts) for scan in self._test]
            row |= truth_and_variety(self._real, features(made))
            row["real_training"] = truth_and_variety(self._real, features(np.concatenate(self._training_slices)))
            if options.guide == "um":
                rng = np.random.default_rng(seed)
                row["raised"] = raised(generator, options, self._test, self._cuts, rng)
                row["moved"] = moved(generator, options, [*self._validation, *self._test], self._cuts)
            row["memory"] = memory(made, self._training_slices, self._test_slices)
            return row

        return self._runner.row(STUDY, f"um_{_word(name)}_{seed}", make)

    def segmentor_row(self, arm: str, seed: int) -> Row:
        """Train a segmentor on the drawn slices, with or without synthetic ones, and judge it."""
        name = f"um_segmentor_{_word(arm)}_{seed}"

        def make() -> Row:
            drawn = drawn_slices(self._known({}, seed))
            augment = None
            if arm != NO_SYNTHESIS:
                augment = SyntheticScans(self._made(arm, GUIDES[arm], seed), self._training)
            recipe = SegmentorRecipe(drawn, augment)
            segmentor = self._runner.networks(name, recipe, seed, batch=SEGMENTOR_BATCH)["lesion"]
            threshold = self._judge.threshold(segmentor)
            facts: Row = {"arm": arm, "seed": seed, "steps": self._runner.steps_of(name), "threshold": threshold}
            return facts | {"scores": self._judge.found(segmentor, threshold)}

        return self._runner.row(STUDY, name, make)

    def _options(self, changed: dict[str, Any], seed: int) -> UmOptions:
        return UmOptions(**asdict(BASE) | {"label_seed": seed} | changed)

    def _known(self, changed: dict[str, Any], seed: int) -> UmMaterial:
        return sorted_units(self._training, self._options(changed, seed), self._validation)

    def _generator(self, name: str, changed: dict[str, Any], seed: int) -> Any:
        recipe = UmRecipe(self._known(changed, seed), self._options(changed, seed), self._cuts)
        return self._runner.networks(_run(name, seed), recipe, seed, batch=BATCH)["generator"]

    def _made(self, name: str, changed: dict[str, Any], seed: int) -> list[Synthetic]:
        """The slabs that a generator makes, the same ones every time."""
        generator = self._generator(name, changed, seed)
        options, known = self._options(changed, seed), self._known(changed, seed)
        synthesizer = UmSynthesizer(generator, options, known, SLAB, cuts=self._cuts)
        if name not in (IMPLANTED, MASK):
            synthesizer = replace(synthesizer, implanted=0.0)
        return [synthesizer.make(np.random.default_rng([seed, number])) for number in range(SLABS)]

    @cached_property
    def _training_slices(self) -> list[Any]:
        return [slices_of(scan) for scan in self._training]

    @cached_property
    def _test_slices(self) -> Any:
        return np.concatenate([slices_of(scan) for scan in self._test])

    @cached_property
    def _real(self) -> Features:
        return features(self._test_slices)


def _run(name: str, seed: int) -> str:
    return f"um_{_word(TRAINED_AS.get(name, name))}_{seed}"


def _word(name: str) -> str:
    return name.replace(",", "").replace(" ", "_")
