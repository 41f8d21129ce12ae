"""How a training of recipe ``shape`` is doing, on scans that are not learnt from; and whether it goes wrong."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import nn

from pseudonormal.recipes.shape.failures import FEWEST, signs
from pseudonormal.recipes.shape.labelling import agreement, answer_of, label, plausibility
from pseudonormal.recipes.shape.masks import some_of
from pseudonormal.recipes.shape.material import Framed, ShapeMaterial
from pseudonormal.recipes.shape.options import ShapeOptions
from pseudonormal.recipes.shape.picture import write_example

CHECKED = {2: 40, 3: 4}  # pictures: a check shall take seconds
LEARNT = 0.75  # Dice of auxiliary masks with their own reconstruction
NOT_LEARNT = (
    "shape space does not know the auxiliary masks: all shapes are one to it, and the judge of masks is blind: raise "
    "shape_share, or train longer"
)


class Checking:
    """Checks of one training: always the same scans and the same auxiliary masks."""

    def __init__(self, material: ShapeMaterial, options: ShapeOptions) -> None:
        """Take what is kept aside."""
        self._material, self._options = material, options

    def check(self, networks: Mapping[str, nn.Module], run: Path) -> tuple[dict[str, float], tuple[str, ...]]:
        """Measure, draw ``run/example.png``, and look for the ways in which this fails.

        "agreement": mean trust in the masks found; "area" and "known_area", "alike" and "known_alike", "offset": see
        :class:`Signs`; "known_shapes": how well shape space knows auxiliary masks; "dice": where the truth is known.

        :returns: these, and what goes wrong, one line each.
        """
        options, scans = self._options, self._scans
        shapes = networks.get("shapes")
        labels = [
            label(answer_of(networks), scan, dimensions=options.dimensions, one_piece=options.one_piece, shapes=shapes)
            for scan in scans
        ]
        masks = [mask for scan, one in zip(scans, labels, strict=True) for mask in self._parts(scan, one.mask)]
        pictures = [part for scan in scans for part in self._parts(scan, scan.image)]
        write_example(run / "example.png", pictures, masks)
        found = {"agreement": agreement(labels)}
        remarks: list[str] = []
        if shapes is not None:
            found["known_shapes"] = float(np.mean([_known_again(shapes, mask) for mask in self._known]))
            if found["known_shapes"] < LEARNT:
                remarks.append(NOT_LEARNT)
        if len(masks) >= FEWEST:
            told = signs(masks, pictures, self._known)
            remarks += told.warnings()
            found |= {
                "area": told.area, "known_area": told.known_area, "alike": told.alike, "known_alike": told.known_alike,
                "offset": float(np.linalg.norm(told.offset)),
            }  # fmt: skip
        truths = [
            (one.mask, scan.truth, scan) for scan, one in zip(scans, labels, strict=True) if scan.truth is not None
        ]
        if truths:
            found["dice"] = float(np.mean([dice(mask, truth, scan) for mask, truth, scan in truths]))
        return found, tuple(remarks)

    @cached_property
    def _scans(self) -> list[Framed]:
        """Those kept aside, else some of those that are learnt from; in 2D some slices of each."""
        most = CHECKED[self._options.dimensions]
        return list(self._material.held_out or self._material.scans)[:most]

    @cached_property
    def _known(self) -> list[NDArray[np.bool_]]:
        return some_of(self._material.masks, self._options.shape, CHECKED[self._options.dimensions])

    def _parts(self, scan: Framed, array: NDArray) -> list[NDArray]:
        if self._options.dimensions == 3:
            return [array]
        every = max(1, len(scan.levels) * len(self._scans) // CHECKED[2])
        return [array[level] for level in scan.levels[::every]]


def _known_again(shapes: nn.Module, mask: NDArray[np.bool_]) -> float:
    flat = mask.ndim == 2
    return float(plausibility(shapes, mask[None] if flat else mask, 2 if flat else 3)[0])


def dice(mask: NDArray[np.bool_], truth: NDArray[np.bool_], scan: Framed) -> float:
    """Dice over the slices that are looked at; 1 where there is nothing and nothing was found."""
    levels = scan.levels
    total = int(mask[levels].sum()) + int(truth[levels].sum())
    return 2 * int((mask[levels] & truth[levels]).sum()) / total if total else 1.0
