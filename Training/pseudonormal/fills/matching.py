"""Fit a guess of what lies under a lesion (the mirrored side, a template) to the tissue around it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pseudonormal.fills.components import Component
from pseudonormal.fills.normalised_convolution import REACH_SIGMAS, smooth_estimate

FIT_RING_MM = 10.0
OFFSET_SIGMA_MM = 5.0
MARGIN_MM = REACH_SIGMAS * OFFSET_SIGMA_MM
FEWEST_TO_FIT = 50


def matched(
    values: NDArray[np.float32], guess: NDArray[np.float32], component: Component, usable: NDArray[np.bool_]
) -> NDArray[np.float32] | None:
    """A guess of the tissue, fitted to the surroundings of a lesion by a line and a smooth offset.

    :param values: (d, h, w) the image in the component's box; only normal tissue is looked at.
    :param guess: (d, h, w) what the tissue might look like, on any linear intensity scale.
    :param component: the lesion.
    :param usable: (d, h, w) where the guess holds.
    :returns: (d, h, w) valid at the component's voxels; None where there is too little to fit on.
    """
    known = component.normal & usable
    ring = component.ring(FIT_RING_MM) & known
    if np.count_nonzero(ring) < FEWEST_TO_FIT or not component.mask.any():
        return None
    here, there = values[ring].astype(np.float64), guess[ring].astype(np.float64)
    spread = there.var()
    covariance = ((here - here.mean()) * (there - there.mean())).mean()
    # A negative slope would mean that the guess is misplaced rather than that tissues swap their contrast.
    slope = np.float32(max(covariance / spread, 0.0)) if spread > 1e-12 else np.float32(0)
    line = slope * guess + np.float32(here.mean() - slope * there.mean())
    return line + smooth_estimate(values - line, known, component.mask, OFFSET_SIGMA_MM)
