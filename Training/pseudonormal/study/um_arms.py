"""A segmentor from few drawn slices and many synthetic ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.random import Generator

from pseudonormal.recipes.synthesizer import Synthetic
from pseudonormal.recipes.um.material import UmMaterial
from pseudonormal.training.references import Reference


def drawn_slices(material: UmMaterial) -> list[Reference]:
    """The scans with drawn slices, in which nothing else is known: their weight is 0 there."""
    found = []
    for number in sorted({unit.scan for unit in material.ill}):
        scan = material.scans[number]
        levels = [unit.level for unit in material.ill if unit.scan == number]
        weight = np.zeros(scan.brain.shape, np.float32)
        weight[levels] = 1
        found.append(replace(scan, lesion=material.lesions[number], weight=weight))
    return found


class SyntheticScans:
    """Draws from synthetic slabs, each in the scan that it was made from: so the brain's robust z stays what it is."""

    def __init__(self, made: Sequence[Synthetic], scans: Sequence[Reference]) -> None:
        """Keep both.

        :param scans: that the slabs were made from.
        """
        self._made = list(made)
        self._scans = {scan.case: scan for scan in scans}

    def __call__(self, rng: Generator) -> Reference:
        """See ``Augment`` of :mod:`pseudonormal.study.segmentor`."""
        made = self._made[int(rng.integers(len(self._made)))]
        source = self._scans[str(made.record["source"])]
        flip = -1 if made.record["mirrored"] else 1
        image, brain = source.image[..., ::flip].copy(), source.brain[..., ::flip].copy()
        level = int(made.record["level"])
        slab = slice(level, level + len(made.image))
        lesion, weight = np.zeros(brain.shape, bool), np.zeros(brain.shape, np.float32)
        image[slab] = np.where(made.foreground, made.image, image[slab])
        lesion[slab], weight[slab] = made.mask, 1
        return replace(source, image=image, brain=brain, lesion=lesion, doubtful=~(weight > 0), weight=weight)
