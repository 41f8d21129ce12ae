"""The augmentation study: what synthetic scans are worth to a segmentor that has few real ones (Platscher 2022)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from itertools import product

import numpy as np
from numpy.random import Generator
from torch import nn

from pseudonormal.evaluate.rows import Row
from pseudonormal.recipes.smile.augmentation import Augmentation
from pseudonormal.recipes.smile.options import SmileOptions
from pseudonormal.recipes.smile.recipe import SmileRecipe
from pseudonormal.recipes.synthesizer import Synthetic
from pseudonormal.recipes.translation.material import Mapped, mapped, mapped_scans
from pseudonormal.recipes.translation.networks import TRANSLATOR
from pseudonormal.recipes.translation.options import TRANSLATORS, TranslationOptions
from pseudonormal.recipes.translation.recipe import TranslationRecipe
from pseudonormal.recipes.translation.synthesizing import TranslationSynthesizer
from pseudonormal.recipes.um.material import sorted_units
from pseudonormal.recipes.um.options import UmOptions
from pseudonormal.recipes.um.recipe import GENERATOR, UmRecipe
from pseudonormal.recipes.um.synthesizing import SLAB, UmSynthesizer
from pseudonormal.study.labels import BASE as SMILE
from pseudonormal.study.material import StudyMaterial, hidden
from pseudonormal.study.painting import VOXEL_MM, StudyScan
from pseudonormal.study.runner import Runner
from pseudonormal.study.scores import DIMENSIONS, Judge
from pseudonormal.study.segmentor import Augment, SegmentorRecipe, Transplanting
from pseudonormal.study.translation_measures import Together, as_scan, consistency, found_in
from pseudonormal.study.um_arms import SyntheticScans
from pseudonormal.training.references import Reference

STUDY = "translation"
CLINICAL = (1, 2, 5, 10)  # drawn scans that there are
NONE, TRANSPLANT, SMILE_ARM, UM_ARM = "none", "transplant", "smile painter", "um"
ARMS = (NONE, TRANSPLANT, *TRANSLATORS, SMILE_ARM, UM_ARM)
MADE = 32  # scans that a translator makes
SLABS = 120  # of three slices that um makes
BATCH = 6
LOOKERS = 3  # segmentors that look at what translators make, as one
LONGER = 5  # times as many steps for each of them
CHECKED_LONGER = 2.5  # times as many steps for translators whose scans are looked at
CONSISTENT = 24  # scans made in heads of either kind that are looked at for their lesions
BASE = TranslationOptions(width=12)
UM = UmOptions(width=12)


def translation_study(material: StudyMaterial, judge: Judge, runner: Runner, seeds: Sequence[int]) -> None:
    """Train the segmentor in each arm, with each number of drawn scans and each seed; then check the translators.

    The seed decides which scans are drawn, the same in each arm. Arms that can use scans without masks (smile, um) see
    the others so. A number that there are not so many scans for is left out, all there are is always in.
    Painted subjects are no clinical scans: where there are real ones, they alone are drawn in and judged, and of the
    painted ones translators get the anatomy, as a lab would use label maps of other people. Processes share seeds, for
    the checks need their seed's trainings.
    """
    if any(scan.kind == "real" for scan in material.test):
        judge = Judge(real(material.validation), real(material.test), material.shapes)
    bench = _Bench(material, judge, runner)
    for seed in runner.own(seeds):
        for count, arm in product(bench.counts, ARMS):
            bench.segmentor_row(count, arm, seed)
        for translator in TRANSLATORS:
            bench.consistency_row(translator, seed)


@dataclass
class _Bench:
    material: StudyMaterial
    judge: Judge
    runner: Runner

    def __post_init__(self) -> None:
        material = self.material
        self._drawn = [scan.reference for scan in real(material.labelled)]
        self._others = [scan.reference for scan in real([*material.labelled, *material.unlabelled])]
        self._masked = [*self._drawn, *(scan.reference for scan in real(material.test))]
        there = len(self._drawn)
        self.counts = [*(count for count in CLINICAL if count < there), there]

    @cached_property
    def _heads(self) -> list[Mapped]:
        """Painted heads without their lesions; their maps are the same whatever the translator."""
        names = {scan.case for scan in self._others}
        painted = [scan for scan in (*self.material.labelled, *self.material.unlabelled) if scan.truth is not None]
        return [mapped(healthy(scan), BASE) for scan in painted if scan.reference.case not in names]

    def segmentor_row(self, count: int, arm: str, seed: int) -> Row:
        """Train a segmentor and judge it on real and painted subjects that nothing has seen."""
        name = _run("segmentor", arm, count, seed)

        def make() -> Row:
            segmentor = self._segmentor(count, arm, seed)
            threshold = self.judge.threshold(segmentor)
            facts: Row = {"count": count, "arm": arm, "seed": seed, "steps": self.runner.steps_of(name)}
            return facts | {"threshold": threshold, "scores": self.judge.found(segmentor, threshold)}

        return self.runner.row(STUDY, name, make)

    def consistency_row(self, translator: str, seed: int) -> Row:
        """Whether the images of the translator that has seen most show what their maps say.

        A segmentor mistakes parts of a head that it has seen nothing like of for lesions, whoever made the image, so
        lesions in the heads of drawn scans, which it knows, are told apart from those in heads of label maps.
        """
        count = self.counts[-1]

        def make() -> Row:
            known = self._synthesizer(translator, count, seed, times=CHECKED_LONGER)
            made, everywhere = (self._made(one, seed, CONSISTENT) for one in (known, self._with_heads(known)))
            drawn = {one.scan.case for one in known.scans}
            elsewhere = [one for one in everywhere if one.record["source"] not in drawn]
            facts: Row = {"translator": translator, "seed": seed}
            facts["found_real"] = self._found_real
            return facts | consistency(known, made, elsewhere, self._lookers)

        return self.runner.row(STUDY, _run("consistency", translator, count, seed), make)

    def _few(self, count: int, seed: int) -> list[Reference]:
        order = np.random.default_rng([seed, 11]).permutation(len(self._drawn))
        return [self._drawn[int(place)] for place in order[:count]]

    def _segmentor(self, count: int, arm: str, seed: int) -> nn.Module:
        few = self._few(count, seed)
        name = _run("segmentor", arm, count, seed)
        augment = None if self.runner.ended(name) else self._augment(arm, few, count, seed)
        recipe = SegmentorRecipe(few, augment)
        return self.runner.networks(name, recipe, seed, batch=BATCH)["lesion"]

    @cached_property
    def _lookers(self) -> nn.Module:
        """Segmentors of all real scans with masks, the judged ones too, that have learnt for long.

        They are no arm but what the images of each seed are looked at with: what they do not find is not to be their
        own fault.
        """
        runner = replace(self.runner, steps=LONGER * self.runner.steps)
        recipe, count = SegmentorRecipe(self._masked, None), len(self._masked)
        runs = [(_run("looker", NONE, count, seed), seed) for seed in range(LOOKERS)]
        return Together([runner.networks(name, recipe, seed, batch=BATCH)["lesion"] for name, seed in runs]).eval()

    @cached_property
    def _found_real(self) -> list[float]:
        """What they find in the scans that they have learnt from."""
        return [found_in(self._lookers, scan) for scan in self._masked]

    def _augment(self, arm: str, few: list[Reference], count: int, seed: int) -> Augment | None:
        if arm == NONE:
            return None
        if arm == TRANSPLANT:
            return Transplanting(few)
        if arm == SMILE_ARM:
            return self._painted(few, count, seed)
        if arm == UM_ARM:
            return self._from_superpixels(few, count, seed)
        return WholeScans(self._made(self._with_heads(self._synthesizer(arm, count, seed)), seed, MADE))

    def _synthesizer(self, translator: str, count: int, seed: int, times: float = 1) -> TranslationSynthesizer:
        """Makes scans in the heads that its translator has learnt from, in so many times the study's steps."""
        options = TranslationOptions(**asdict(BASE) | {"translator": translator})
        material = mapped_scans(self._few(count, seed), options)
        recipe = TranslationRecipe(material, options)
        runner = replace(self.runner, steps=round(times * self.runner.steps))
        networks = runner.networks(_run("translator", translator, count, seed), recipe, seed)
        return TranslationSynthesizer(networks[TRANSLATOR], options, material.scans)

    def _with_heads(self, synthesizer: TranslationSynthesizer) -> TranslationSynthesizer:
        """The same, in heads of label maps too."""
        return replace(synthesizer, scans=[*synthesizer.scans, *self._heads])

    def _made(self, synthesizer: TranslationSynthesizer, seed: int, count: int) -> list[Synthetic]:
        return [synthesizer.make(np.random.default_rng([seed, number])) for number in range(count)]

    def _painted(self, few: list[Reference], count: int, seed: int) -> Augment:
        material = self.material.for_training(few)
        recipe = SmileRecipe(material, SmileOptions(**asdict(SMILE)))
        networks = self.runner.networks(_run("smile", "smile", count, seed), recipe, seed)
        scans = [*material.labelled, *material.unlabelled]
        return Augmentation(
            networks, scans, material.lesion_shapes(), dimensions=DIMENSIONS, voxel_ml=VOXEL_MM**3 / 1000
        )

    def _from_superpixels(self, few: list[Reference], count: int, seed: int) -> Augment:
        names = {scan.case for scan in few}
        scans = [*few, *(hidden(scan) for scan in self._others if scan.case not in names)]
        known = sorted_units(scans, UM)
        generator = self.runner.networks(_run("um", "um", count, seed), UmRecipe(known, UM), seed)[GENERATOR]
        synthesizer = UmSynthesizer(generator, UM, known, SLAB)
        made = [synthesizer.make(np.random.default_rng([seed, number])) for number in range(SLABS)]
        return SyntheticScans(made, scans)


def real(scans: Sequence[StudyScan]) -> list[StudyScan]:
    """Those of people, where there are any; else all."""
    return [scan for scan in scans if scan.kind == "real"] or list(scans)


def healthy(scan: StudyScan) -> Reference:
    """A painted head without its lesions."""
    nothing = np.zeros_like(scan.reference.brain)
    assert scan.truth is not None, "somebody painted it"
    return replace(scan.reference, image=scan.truth, lesion=None, doubtful=nothing)


class WholeScans:
    """Draws from scans that a translator made."""

    def __init__(self, made: Sequence[Synthetic]) -> None:
        self._scans = [as_scan(one, f"made_{number}") for number, one in enumerate(made)]

    def __call__(self, rng: Generator) -> Reference:
        """See ``Augment`` of :mod:`pseudonormal.study.segmentor`."""
        return self._scans[int(rng.integers(len(self._scans)))]


def _run(what: str, arm: str, count: int, seed: int) -> str:
    """Of a training in the study's folder."""
    return f"{STUDY}_{what}_{arm.replace(' ', '_')}_{count}_{seed}"
