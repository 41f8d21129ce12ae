"""How a training is doing: on scans that are kept aside, whole."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pseudonormal.networks.precision import fast_precision
from pseudonormal.recipes.smile.drawing import Drawing
from pseudonormal.recipes.smile.guesses import Guesses
from pseudonormal.recipes.smile.loss import RESTORER_INPUTS
from pseudonormal.recipes.smile.material import SmileMaterial
from pseudonormal.recipes.smile.options import SmileOptions
from pseudonormal.recipes.smile.picture import write_example
from pseudonormal.recipes.smile.predicting import probability
from pseudonormal.recipes.smile.rows import row
from pseudonormal.training.references import Reference

CHECKED = 4  # scans: a check shall take seconds
EVERY = {2: 3, 3: 1}  # slices looked at, one of so many
SIMULATED = {2: 24, 3: 6}  # lesions restored
REFRESHED = {2: 24, 3: 6}  # scans whose guess is made anew
THRESHOLDS = np.linspace(0.05, 0.95, 19)


class Checking:
    """Checks of one training: always the same scans and the same simulated lesions."""

    def __init__(self, material: SmileMaterial, options: SmileOptions, guesses: Guesses) -> None:
        """Take what is kept aside; reads and simulates nothing yet."""
        self._material, self._options, self._guesses = material, options, guesses
        drawn = [*material.labelled, *material.synthetic] if options.mask == "predicted" else []
        guessed = [*material.unlabelled, *drawn]
        self._guessed = [] if options.no_unlabelled and options.mask == "oracle" else guessed
        self._next = 0
        self._kept_aside = spread(material.validation, CHECKED)

    def check(self, networks: Mapping[str, nn.Module], run: Path) -> dict[str, float]:
        """Measure, draw ``run/example.png``, and look anew for lesions in scans that nobody has drawn in.

        "dice": at probability one half, "dice_best": at the best threshold, "threshold": that one (mean over
        subjects); "psnr_void", "psnr_guided", "psnr_fill": decibels in simulated lesions, of the restorer without
        and with a look at them and of the biharmonic fill. Empty where no scan is kept aside.
        """
        self.refresh(networks, REFRESHED[self._options.dimensions])
        shown = [*self._kept_aside, *self._material.labelled][:1]
        if shown:
            write_example(run / "example.png", networks, shown[0], self._options.dimensions)
        if not self._kept_aside:
            return {}
        found = dice(networks, self._kept_aside, dimensions=self._options.dimensions, every=self._every)
        return found | self._restored(networks)

    @property
    def _every(self) -> int:
        return EVERY[self._options.dimensions]

    def refresh(self, networks: Mapping[str, nn.Module], most: int) -> None:
        """Look anew for lesions in so many of the scans that are restored where something is found, in turn."""
        for _ in range(min(most, len(self._guessed))):
            scan = self._guessed[self._next % len(self._guessed)]
            self._next += 1
            found = probability(networks, scan.image, scan.brain, dimensions=self._options.dimensions)
            self._guesses.put(scan.case, found)

    @cached_property
    def _lesions(self) -> list[dict[str, Tensor]]:
        """Rows with simulated lesions in the scans that are kept aside, the same ones every time."""
        aside = replace(self._material, labelled=self._kept_aside, unlabelled=[], normal=[])
        options = replace(self._options, no_simulation=False)
        drawing = Drawing(aside, options, self._guesses, rehearse=False)
        rng = np.random.default_rng(0)
        samples = [drawing.sample("simulated", rng) for _ in range(SIMULATED[options.dimensions])]
        rows = [row(sample, options.dimensions, rng) for sample in samples if sample["hole"].any()]
        return [
            {key: torch.from_numpy(value)[None, None] for key, value in one.items() if isinstance(value, np.ndarray)}
            for one in rows
        ]

    def _restored(self, networks: Mapping[str, nn.Module]) -> dict[str, float]:
        device = next(networks["restore"].parameters()).device
        decibels = defaultdict(list)
        for lesion in self._lesions:
            there = {key: value.to(device) for key, value in lesion.items()}
            inputs = {key: there[key] for key in RESTORER_INPUTS}
            seen = (there["observed"] - there["fill"]) * there["lesion"]
            with torch.inference_mode(), fast_precision(device):
                void = networks["restore"](**inputs | {"seen": torch.zeros_like(seen)}).normal
                guided = networks["restore"](**inputs | {"seen": seen}).normal
            for name, answer in (("void", void), ("guided", guided), ("fill", there["fill"])):
                decibels[f"psnr_{name}"].append(_decibels(answer.float(), there))
        return {name: float(np.mean(values)) for name, values in decibels.items()}


def dice(
    networks: Mapping[str, nn.Module], scans: Sequence[Reference], *, dimensions: int, every: int = 1
) -> dict[str, float]:
    """Dice of the segmentor over whole scans, each subject alike.

    Voxels that a reviewer does not trust do not count.

    :param scans: with drawn lesions, not empty.
    :param every: in 2D, count every n-th slice of the brain only.
    :returns: "dice" at probability 0.5, "dice_best" at the threshold that is best for all together, "threshold".
    """
    by_subject: dict[str, list[NDArray[np.float64]]] = defaultdict(list)
    for scan in scans:
        assert scan.lesion is not None
        found = probability(networks, scan.image, scan.brain, dimensions=dimensions, every=every)
        counted = scan.brain if scan.weight is None else scan.brain & (scan.weight > 0)
        if dimensions == 2:
            shown = np.flatnonzero(scan.brain.any(axis=(1, 2)))[::every]
            found, lesion, counted = found[shown], scan.lesion[shown], counted[shown]
        else:
            lesion = scan.lesion
        by_subject[scan.subject or scan.case].append(_dice(found[counted], lesion[counted]))
    curve = np.mean([np.mean(curves, axis=0) for curves in by_subject.values()], axis=0)
    best = int(np.argmax(curve))
    half = int(np.argmin(np.abs(THRESHOLDS - 0.5)))
    return {"dice": float(curve[half]), "dice_best": float(curve[best]), "threshold": float(THRESHOLDS[best])}


def spread(scans: Sequence[Reference], most: int) -> list[Reference]:
    """At most so many of the scans, of as many subjects as possible."""
    turns: dict[str, int] = defaultdict(int)
    order = []
    for place, scan in enumerate(scans):
        subject = scan.subject or scan.case
        order.append((turns[subject], place))
        turns[subject] += 1
    return [scans[place] for _, place in sorted(order)[:most]]


def _dice(found: NDArray[np.float32], lesion: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Dice at each of ``THRESHOLDS``; 1 where there is nothing and nothing was found."""
    scores = []
    for threshold in THRESHOLDS:
        mask = found >= threshold
        total = int(mask.sum()) + int(lesion.sum())
        scores.append(2 * int((mask & lesion).sum()) / total if total else 1.0)
    return np.array(scores)


def _decibels(answer: Tensor, part: Mapping[str, Tensor]) -> float:
    """PSNR in the mask, range 1 of the scaled intensities."""
    error = ((answer - part["truth"]) * part["deviation"])[part["lesion"] > 0.5]
    return float(-10 * torch.log10(error.square().mean().clamp_min(1e-10)))
