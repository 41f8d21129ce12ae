"""The gate: whether the restorer may look at a lesion.

A restorer that sees the lesion ("guided") recovers the tissue under a transparent one and gains decibels, but leaves
disease behind when the lesion looks unlike those it was trained on. Three tests decide, with thresholds that were
chosen on validation subjects: the network must expect a smaller error than in mode "void"; its answer must not keep a
share of the lesion's contrast that "void", which cannot keep any, does not show; and the lesion must not stand out too
far beyond what "void" expects to be wrong, for then there is little to win and much to leak. Lesions larger than any in
training are always restored in "void".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pseudonormal.models.bundle import Calibration
from pseudonormal.recipes.patches import Box
from pseudonormal.recipes.restore import VOLUME_ML

LARGEST = 1000 * VOLUME_ML[1]  # voxels (1 mm)
FAINT = 1e-3  # scaled intensities; a lesion that cannot be told from its restoration has no contrast to keep


@dataclass(frozen=True)
class View:
    """What the network made of a patch in one mode, (D, H, W) in scaled intensities.

    :param normal: the restored patch; meaningful inside lesions only.
    :param error: the expected absolute error.
    """

    normal: NDArray[np.float32]
    error: NDArray[np.float32]


@dataclass(frozen=True)
class Look:
    """One connected lesion in its patch.

    :param label: its number among the connected parts of the mask.
    :param box: the patch's place in the scan.
    :param inside: (D, H, W) the lesion's voxels in the patch.
    :param image: (D, H, W) the patch, scaled intensities, lesion included.
    :param guided: None when only mode "void" was asked for.
    """

    label: int
    box: Box
    inside: NDArray[np.bool_]
    image: NDArray[np.float32]
    void: View
    guided: View | None

    @property
    def expected_ratio(self) -> float:
        """Expected absolute error of "guided" as a share of "void"'s, averaged over the lesion."""
        assert self.guided is not None
        return float(self.guided.error[self.inside].mean() / max(float(self.void.error[self.inside].mean()), 1e-6))

    @property
    def contrast_kept(self) -> float:
        """``mean(guided - void) / mean(image - void)``: 0 when both agree, 1 when "guided" is the lesion itself."""
        assert self.guided is not None
        contrast = float((self.image - self.void.normal)[self.inside].mean())
        if abs(contrast) < FAINT:
            return 0.0
        return float((self.guided.normal - self.void.normal)[self.inside].mean() / contrast)

    @property
    def prominence(self) -> float:
        """Mean absolute difference of the lesion to "void", in expected errors of "void"."""
        apart = float(np.abs((self.image - self.void.normal)[self.inside]).mean())
        return apart / max(float(self.void.error[self.inside].mean()), 1e-6)


def choose_guided(look: Look, calibration: Calibration) -> bool:
    """Whether "guided" is to be trusted with one lesion."""
    return bool(
        look.inside.sum() <= LARGEST
        and look.prominence < calibration.most_prominence
        and look.expected_ratio < calibration.guided_advantage
        and look.contrast_kept < calibration.most_contrast_left
    )
