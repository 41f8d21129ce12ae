"""Fusion: how much of each answer goes into a restored lesion.

A restorer that sees the lesion ("guided") recovers the tissue under a transparent one and gains decibels, but leaves
disease behind when the lesion looks unlike those it was trained on; one that does not see it ("void") can do neither.
The further the two stray from each other, measured in what "void" expects to be wrong, the less "guided" is believed.
Their mean is often nearer to the truth than both, because their errors differ; for the same reason small lesions keep
a share of a classical fill, which is hard to beat there. Lesions larger than any in
training are always restored without a look.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pseudonormal.models.bundle import Calibration
from pseudonormal.recipes.patches import Box
from pseudonormal.recipes.restore import VOLUME_ML

Mode = Literal["auto", "void", "guided"]
TINY_ML = 0.5
LARGEST = 1000 * VOLUME_ML[1]  # voxels (1 mm)


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
    :param fill: (D, H, W) the classical fill that the network started from, scaled intensities.
    :param smooth: (D, H, W) the smooth one.
    :param guided: None when only mode "void" was asked for.
    """

    label: int
    box: Box
    inside: NDArray[np.bool_]
    fill: NDArray[np.float32]
    smooth: NDArray[np.float32]
    void: View
    guided: View | None

    @property
    def stray(self) -> float:
        """Mean distance between "guided" and "void" over the lesion, in expected absolute errors of "void"."""
        assert self.guided is not None
        apart = float(np.abs(self.guided.normal - self.void.normal)[self.inside].mean())
        return apart / max(float(self.void.error[self.inside].mean()), 1e-6)

    @property
    def start(self) -> NDArray[np.float32]:
        """The classical fill that a small lesion keeps a share of, (D, H, W): of a few voxels the smooth one.

        The biharmonic fill carries what little of a tiny lesion lies outside its mask back into it.
        """
        smooth = 1 / (1 + (self.volume_ml / TINY_ML) ** 2)
        return np.asarray((1 - smooth) * self.fill + smooth * self.smooth, np.float32)

    @property
    def volume_ml(self) -> float:
        """At 1 mm."""
        return float(self.inside.sum()) / 1000


def guided_share(look: Look, mode: Mode, calibration: Calibration) -> float:
    """How much of "guided" goes into a lesion: ``1 / (1 + (stray / reach)^2)`` in mode "auto".

    :returns: in [0, 1]; "void" gets the rest.
    """
    if look.guided is None or (mode == "auto" and look.inside.sum() > LARGEST):
        return 0.0
    return 1.0 if mode == "guided" else share_of(look.stray, calibration.guided_reach)


def share_of(stray: float, reach: float) -> float:
    """The formula of :func:`guided_share`; 0 where the reach is."""
    return float(reach**2 / (reach**2 + stray**2)) if reach > 0 else 0.0


def start_share(volume_ml: float, share: float) -> float:
    """How much of the classical fill goes into a lesion: ``share / (1 + volume)``."""
    return share / (1 + volume_ml)


def fuse(look: Look, guided: float, calibration: Calibration) -> View:
    """The restored patch of one lesion and its expected absolute error (that of a mean is at most the errors' mean).

    :param guided: from :func:`guided_share`.
    """
    start = start_share(look.volume_ml, calibration.start_share)
    seen = look.guided or look.void
    normal = (1 - guided) * look.void.normal + guided * seen.normal
    error = (1 - guided) * look.void.error + guided * seen.error
    return View(((1 - start) * normal + start * look.start).astype(np.float32), error.astype(np.float32))
