"""From scans without any mask to SMILE: seed masks in a case store, three of them corrected, and what that is worth."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from pseudonormal.evaluate.rows import Row
from pseudonormal.recipes.shape.labelling import Label, answer_of, label
from pseudonormal.recipes.shape.learning import LearningOptions, answer_of_round
from pseudonormal.recipes.shape.recipe import ShapeRecipe
from pseudonormal.recipes.shape.rounds import best_of, rounds
from pseudonormal.recipes.smile.recipe import SmileRecipe
from pseudonormal.scan.writing import write_image
from pseudonormal.store.store import Store
from pseudonormal.study.labels import BASE
from pseudonormal.study.material import StudyMaterial
from pseudonormal.study.painting import NEAR_LESIONS, StudyScan, study_geometry
from pseudonormal.study.runner import Runner
from pseudonormal.study.scores import Judge
from pseudonormal.study.shapes.arm import GENERATOR, judged, learnt_after, round_runner
from pseudonormal.study.shapes.lesion import in_frame, is_large, lesion_situation
from pseudonormal.training.references import Reference

STUDY = "shape-story"
CORRECTED = 3
ANNOTATOR = "oracle"


@dataclass(frozen=True)
class Shown:
    """A scan of the pool with its seed mask; (D, H, W) on the study's grid."""

    scan: StudyScan
    mask: NDArray[np.bool_]
    weight: NDArray[np.float32]


def story_study(material: StudyMaterial, runner: Runner, seeds: Sequence[int]) -> None:
    """Each step's Dice on gliomas that are not learnt from, beside the way without seed masks."""
    judge = Judge(
        [scan for scan in material.validation if is_large(scan)],
        [scan for scan in material.test if is_large(scan) and scan.kind == "real"],
        material.shapes,
    )
    for seed in runner.own(seeds):
        _Story(material, judge, runner, seed).run()


class _Story:
    """One seed; what is trained is kept by the runner, so that it goes on after a break."""

    def __init__(self, material: StudyMaterial, judge: Judge, runner: Runner, seed: int) -> None:
        self._material, self._judge, self._runner, self._seed = material, judge, runner, seed
        self._pool = [
            s for s in (*material.labelled, *material.unlabelled) if is_large(s) and s.reference.lesion is not None
        ]

    def run(self) -> None:
        found = self._found()
        self._row("1 generator (pseudo-labels)", lambda: found[0])
        self._row("2 after the rounds", lambda: found[1])
        seeded = found[2]
        corrected = self._corrected(seeded)
        truth = [scan.reference for scan in self._pool if scan.reference.case in corrected]
        weighted = [_weighted(one) for one in seeded if one.scan.reference.case not in corrected]
        self._row(
            "3 SMILE: seed masks, none corrected", lambda: self._smile("seeds", [_weighted(one) for one in seeded])
        )
        self._row("4 SMILE: seed masks, three corrected", lambda: self._smile("corrected", [*truth, *weighted]))
        self._row("5 SMILE: from nothing, three drawn", lambda: self._smile("nothing", truth))

    def _row(self, step: str, after: Callable[[], float]) -> None:
        def make() -> Row:
            return {"step": step, "seed": self._seed, "after": after()}

        self._runner.row(STUDY, f"story_{step[0]}_{self._seed}", make)

    def _found(self) -> tuple[float, float, list[Shown]]:
        """Dice of generator and rounds on test scans, and a seed mask for each scan of the pool."""
        situation = lesion_situation(self._material)
        options = situation.options
        recipe = ShapeRecipe(situation.material, options)
        generator = replace(self._runner, settings=GENERATOR).networks(f"story_shape_{self._seed}", recipe, self._seed)
        teacher = round_runner(self._runner, 2)
        made = rounds(
            situation.material, generator, options, LearningOptions(dimensions=2),
            lambda one, what, before: learnt_after(teacher, f"story_{self._seed}_", one, what, before, self._seed),
        )  # fmt: skip
        best = best_of(made)
        answer = answer_of_round(best.networks, 2)
        before, after = (judged(one, situation.test, options) for one in (answer_of(generator), answer))
        framed = [in_frame(scan) for scan in self._pool]
        shapes = generator["shapes"]
        labels = [label(answer, scan, dimensions=2, one_piece=False, shapes=shapes) for scan in framed]
        return before, after, [_shown(scan, one) for scan, one in zip(self._pool, labels, strict=True)]

    def _corrected(self, seeded: Sequence[Shown]) -> set[str]:
        """Put the seed masks into a case store and have the first three of its worklist corrected; their names."""
        with tempfile.TemporaryDirectory() as folder:
            store = Store.open(Path(folder) / "store")
            names = {self._added(store, Path(folder), one): one for one in seeded}
            done = set()
            for _ in range(CORRECTED):
                lease = store.next_case(ANNOTATOR)
                assert lease is not None
                one = names[lease.case.id]
                lesion = one.scan.reference.lesion
                assert lesion is not None
                drawn = np.ascontiguousarray(lesion & one.scan.reference.brain)
                store.add_revision(lease.case.id, drawn, lease=lease.token, state="accepted", parent=lease.case.head)
                done.add(one.scan.reference.case)
            store.close()
        return done

    def _added(self, store: Store, folder: Path, one: Shown) -> str:
        geometry = study_geometry(one.mask)
        paths = {name: folder / f"{name}.nii.gz" for name in ("image", "mask", "weight")}
        for name, array in (("image", one.scan.reference.image), ("mask", one.mask), ("weight", one.weight)):
            write_image(array, geometry, paths[name])
        added = store.add_case(paths["image"], mask=paths["mask"], weights=paths["weight"], contrast="FLAIR")
        return added.id

    def _smile(self, name: str, labelled: Sequence[Reference]) -> float:
        """Mean Dice on the test scans of SMILE with these masks, at the threshold that is best on validation scans."""
        recipe = SmileRecipe(self._material.for_training(labelled), BASE)
        networks = self._runner.networks(f"story_smile_{name}_{self._seed}", recipe, self._seed)
        threshold = self._judge.threshold(networks["lesion"])
        return float(np.mean([row["dice"] for row in self._judge.found(networks["lesion"], threshold)]))


def _shown(scan: StudyScan, label: Label) -> Shown:
    frame = in_frame(scan).frame
    assert frame is not None
    shape = scan.reference.image.shape
    mask = (frame.back(label.mask.astype(np.float32), shape) >= 0.5) & scan.reference.brain
    return Shown(scan, mask, np.clip(1 - frame.back(1 - label.weight, shape), 0, 1).astype(np.float32))


def _weighted(one: Shown) -> Reference:
    """A scan as SMILE learns from it: with its seed mask and how far that is to be trusted."""
    doubtful = ndimage.binary_dilation(one.mask, iterations=NEAR_LESIONS) if one.mask.any() else one.mask
    return replace(one.scan.reference, lesion=one.mask, doubtful=doubtful, weight=one.weight)
