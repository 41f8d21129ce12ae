"""Superpixels of slices, each cut once: cutting takes longer than a network's look at it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from pseudonormal.recipes.um.options import UmOptions
from pseudonormal.recipes.um.superpixels import Labels, superpixels
from pseudonormal.training.references import Reference


@dataclass
class Cuts:
    """Remembers superpixels; a process that is started with it has what was cut before."""

    _known: dict[tuple[str, int, str, float, float], Labels] = field(default_factory=dict, repr=False)

    def of_slice(self, scan: Reference, level: int, options: UmOptions) -> Labels:
        """(H, W), numbers from 1, 0 outside the foreground."""
        key = (scan.case, level, options.method, options.superpixel_mm, options.compactness)
        if key not in self._known:
            self._known[key] = superpixels(scan.image[level], scan.brain[level], options)
        return self._known[key]

    def of_slices(self, scan: Reference, levels: slice, options: UmOptions) -> Labels:
        """(D, H, W), every superpixel of these slices another number."""
        last, found = 0, []
        for level in range(*levels.indices(len(scan.image))):
            labels = self.of_slice(scan, level, options)
            found.append(np.where(labels > 0, labels + last, 0).astype(np.int32))
            last = max(last, int(found[-1].max()))
        return np.stack(found)

    def of(self, scan: Reference, options: UmOptions, levels: slice = slice(None)) -> Labels:
        """As the recipe sees the scan: of each slice in 2D, of the volume in 3D."""
        if options.dimensions == 2:
            return self.of_slices(scan, levels, options)
        key = (scan.case, -1, options.method, options.superpixel_mm, options.compactness)
        if key not in self._known:
            self._known[key] = superpixels(scan.image, scan.brain, options)
        return self._known[key]
