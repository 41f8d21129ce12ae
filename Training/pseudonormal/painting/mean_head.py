"""Brains from the mean brain that the template fill ships: what to paint where there is no label map."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import ndimage

from pseudonormal.fills.template import TEMPLATE_MM, tissue_probabilities
from pseudonormal.painting.tissues import GROUPS
from pseudonormal.regions import largest

# The template's tissues in its order, as groups that contrasts are drawn for.
TISSUES = ("csf", "cortex", "white_matter", "thalamus")
RARE = 0.02  # probability that stands for 0, so that folds can reach beyond where 16 brains had any
FOLD_MM = 3.0
FOLDING = 1.2  # standard deviation of what is added to the log-probabilities


def mean_head(rng: Generator) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """A brain that nobody has: the most probable tissue of the mean brain, with random folds.

    ``argmax_k log(p_k + e) + noise_k``, the noise smooth over 3 mm: where the tissues of 16 brains lie mixed, one
    winding border is drawn instead of a blur. Skull and scalp are not in it.

    :returns: (D, H, W) uint8 group numbers (see :mod:`pseudonormal.painting.tissues`) and the brain; 1 mm, RAS axes,
        the middle of the head in the middle of the last axis.
    """
    shares = tissue_probabilities()
    outside = 1 - shares.sum(axis=0)
    noise = rng.standard_normal(shares.shape, dtype=np.float32)
    smooth = np.stack([ndimage.gaussian_filter(one, FOLD_MM / TEMPLATE_MM) for one in noise])
    folded = np.log(shares + RARE) + FOLDING * smooth / smooth.std()
    numbers = np.array([list(GROUPS).index(tissue) for tissue in TISSUES], np.uint8)
    groups = numbers[np.argmax([_fine(evidence) for evidence in folded], axis=0)]
    brain = largest(_fine(outside) <= 0.5)
    groups[~brain] = 0
    return groups, brain


def _fine(array: NDArray[np.float32]) -> NDArray[np.float32]:
    """From the template's grid to 1 mm, linearly."""
    return sitk.GetArrayFromImage(sitk.Expand(sitk.GetImageFromArray(array), [int(TEMPLATE_MM)] * 3, sitk.sitkLinear))
