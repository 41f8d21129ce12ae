"""How good a run's networks are on subjects that they have never seen."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from torch import nn

from pseudonormal.evaluate.detection import dice, dice_curve, lesionwise
from pseudonormal.evaluate.metrics import psnr
from pseudonormal.evaluate.reliability import Reliability
from pseudonormal.fills.biharmonic import biharmonic_fill
from pseudonormal.lesions.shapes import ShapeSource
from pseudonormal.lesions.source import LesionSource
from pseudonormal.recipes.smile.predicting import probability, pseudo_normal
from pseudonormal.study.painting import VOXEL_MM, StudyScan

THRESHOLDS = np.linspace(0.05, 0.95, 19)
SIMULATED = 3  # lesions in each real scan
SIMULATED_ML = (1.0, 20.0)
FAMILIES = ("additive_bright", "replacing", "additive_dark")
DIMENSIONS = 2


@dataclass(frozen=True)
class Hole:
    """A scan with lesions to restore, and what was there; (D, H, W), scaled intensities."""

    image: NDArray[np.float32]
    truth: NDArray[np.float32]
    lesion: NDArray[np.bool_]


class Judge:
    """Judges networks on the same scans and the same simulated lesions every time."""

    def __init__(
        self, validation: Sequence[StudyScan], test: Sequence[StudyScan], shapes: Sequence[ShapeSource]
    ) -> None:
        """Take the scans; what is simulated is simulated when first needed."""
        self._validation, self._test, self._shapes = list(validation), list(test), list(shapes)

    def threshold(self, segmentor: nn.Module) -> float:
        """The threshold of the best mean Dice on validation scans."""
        curves = [_curve(segmentor, scan) for scan in self._validation]
        return float(THRESHOLDS[int(np.argmax(np.mean(curves, axis=0)))])

    def found(self, segmentor: nn.Module, threshold: float) -> list[dict[str, Any]]:
        """For each test scan "dice", "lesion_f1" at the threshold; "dice_half" at one half; "ece" of its brain."""
        return [{**_named(scan), **_dice(segmentor, scan, threshold)} for scan in self._test]

    def restored(self, networks: Mapping[str, nn.Module]) -> list[dict[str, Any]]:
        """For each test scan the PSNR in lesions of known truth, within a mask that is a voxel too wide.

        "psnr_void", "psnr_guided": the restorer without and with a look at them; "psnr_fill": the biharmonic fill of
        each slice, which is what the restorer corrects.
        """
        rows = []
        for scan, hole, fill in zip(self._test, self._holes, self._fills, strict=True):
            row = {**_named(scan), "psnr_fill": fill}
            for mode in ("void", "guided"):
                answer = pseudo_normal(
                    networks, hole.image, hole.lesion, scan.reference.brain, dimensions=DIMENSIONS, mode=mode
                )
                row[f"psnr_{mode}"] = _psnr(answer, hole)
            rows.append(row)
        return rows

    @cached_property
    def _holes(self) -> list[Hole]:
        return [_hole(scan, self._shapes) for scan in self._test]

    @cached_property
    def _fills(self) -> list[float]:
        return [
            _psnr(_filled(hole, scan.reference.brain), hole) for scan, hole in zip(self._test, self._holes, strict=True)
        ]


def lesion_probability_of(segmentor: nn.Module, scan: StudyScan) -> NDArray[np.float32]:
    """(D, H, W) in [0, 1], slice by slice."""
    reference = scan.reference
    return probability({"lesion": segmentor}, reference.image, reference.brain, dimensions=DIMENSIONS)


def _named(scan: StudyScan) -> dict[str, Any]:
    return {"case": scan.reference.case, "subject": scan.reference.subject, "kind": scan.kind}


def _curve(segmentor: nn.Module, scan: StudyScan) -> NDArray[np.float64]:
    reference = scan.reference
    assert reference.lesion is not None
    return dice_curve(lesion_probability_of(segmentor, scan), reference.lesion, reference.brain, THRESHOLDS)


def _dice(segmentor: nn.Module, scan: StudyScan, threshold: float) -> dict[str, float]:
    lesion, brain = scan.reference.lesion, scan.reference.brain
    assert lesion is not None
    found = lesion_probability_of(segmentor, scan)
    return {
        "dice": dice(found >= threshold, lesion & brain),
        "lesion_f1": lesionwise(found >= threshold, lesion & brain)["lesion_f1"],
        "dice_half": dice(found >= 0.5, lesion & brain),
        "ece": Reliability.of(found[brain], lesion[brain]).error,
    }


def _hole(scan: StudyScan, shapes: Sequence[ShapeSource]) -> Hole:
    """A painted scan's own lesions; in a real one simulated ones, for nobody knows what was there before its own."""
    reference = scan.reference
    image, truth, lesion = reference.image, scan.truth, reference.lesion
    if truth is None or lesion is None:
        rng = np.random.default_rng(zlib.crc32(reference.case.encode()))
        source = LesionSource(shapes)
        low, high = (ml / VOXEL_MM**3 for ml in SIMULATED_ML)
        truth, lesion = image, np.zeros(image.shape, bool)
        for number in range(SIMULATED):
            allowed = reference.brain & ~reference.doubtful & ~ndimage.binary_dilation(lesion, iterations=3)
            drawn = source.sample(image, allowed, rng, family=FAMILIES[number % len(FAMILIES)], volume_ml=(low, high))
            if drawn is not None:
                image, lesion = drawn.image, lesion | drawn.mask
    return Hole(image, truth, ndimage.binary_dilation(lesion) & reference.brain)


def _filled(hole: Hole, brain: NDArray[np.bool_]) -> NDArray[np.float32]:
    filled = hole.image.copy()
    for level in np.flatnonzero(hole.lesion.any(axis=(1, 2))):
        here = slice(level, level + 1)
        filled[here] = biharmonic_fill(hole.image[here], hole.lesion[here], within=brain[here])
    return filled


def _psnr(answer: NDArray[np.float32], hole: Hole) -> float:
    error = (answer - hole.truth)[hole.lesion].astype(np.float64)
    return psnr(float((error**2).mean())) if error.size else float("nan")
