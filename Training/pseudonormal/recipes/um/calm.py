"""Where nothing looks like a drawn lesion: what is put in there is all there is, whoever has drawn or not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pseudonormal.recipes.um.material import UmMaterial
from pseudonormal.recipes.um.superpixels import Labels

QUARTER = 0.25


@dataclass(frozen=True)
class LesionLike:
    """What three quarters of the drawn lesions' voxels are like: beyond a value, seen from the organ.

    The lesion head is not asked: from few drawn lesions it knows their kind alone, and it may see too many or none.

    :param bound: scaled intensity.
    :param bright: lesions lie above it; else below.
    """

    bound: float
    bright: bool

    @staticmethod
    def of(material: UmMaterial) -> LesionLike | None:
        """Learn it from the drawn slices; None where there are none."""
        lesions, organs = [], []
        for unit in material.ill:
            scan, lesion = material.scans[unit.scan], material.lesions[unit.scan][unit.level]
            image, brain = scan.image[unit.level], scan.brain[unit.level]
            lesions.append(image[brain & lesion])
            organs.append(image[brain & ~lesion])
        if not lesions:
            return None
        drawn, organ = np.concatenate(lesions), np.concatenate(organs)
        bright = bool(np.median(drawn) >= np.median(organ))
        return LesionLike(float(np.quantile(drawn, QUARTER if bright else 1 - QUARTER)), bright)

    def share(self, values: NDArray[np.float64], labels: Labels) -> float:
        """The share of a foreground that looks like a lesion.

        :param values: of superpixels by number.
        :param labels: (D, H, W) their numbers; 0 outside the foreground.
        """
        alike = values >= self.bound if self.bright else values <= self.bound
        return float(alike[labels[labels > 0]].mean())
