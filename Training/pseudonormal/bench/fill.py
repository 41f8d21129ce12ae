"""The biharmonic fill against scikit-image's direct solution."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from skimage.restoration import inpaint_biharmonic

from pseudonormal.evaluate.metrics import psnr
from pseudonormal.fills.biharmonic import biharmonic_fill

LARGE_ML, SMALL_ML = 40.0, 7.0
MARGIN = 6


@dataclass(frozen=True)
class FillTimes:
    """What the fill of a ball costs.

    :param large_s: seconds for a large ball (40 ml).
    :param small_s: seconds for a small one (7 ml), ``reference_s`` those of scikit-image.
    :param difference_db: PSNR against the truth, ours - scikit-image's.
    """

    large_s: float
    small_s: float
    reference_s: float
    difference_db: float


def fill_times(image: NDArray[np.float32], *, large_ml: float = LARGE_ML, small_ml: float = SMALL_ML) -> FillTimes:
    """Fill balls in the middle of an image.

    :param image: (D, H, W) scaled intensities, 1 mm voxels.
    :param large_ml: volume of the large ball, ``small_ml`` of the one that scikit-image fills too.
    """
    large = _ball(image.shape, large_ml)
    small = _ball(image.shape, small_ml)
    biharmonic_fill(image, _ball(image.shape, 0.5))  # libraries load
    _, large_s = _fill(image, large)
    mine, small_s = _fill(image, small)
    box = tuple(slice(at.min() - MARGIN, at.max() + 1 + MARGIN) for at in np.nonzero(small))
    started = time.perf_counter()
    reference = inpaint_biharmonic(image[box].astype(np.float64), small[box])
    reference_s = time.perf_counter() - started
    inside, truth = small[box], image[box]
    ours, theirs = (_psnr(filled[inside], truth[inside]) for filled in (mine[box], reference))
    return FillTimes(large_s, small_s, reference_s, ours - theirs)


def _fill(image: NDArray[np.float32], hole: NDArray[np.bool_]) -> tuple[NDArray[np.float32], float]:
    started = time.perf_counter()
    return biharmonic_fill(image, hole), time.perf_counter() - started


def _ball(shape: tuple[int, ...], volume_ml: float) -> NDArray[np.bool_]:
    radius = (3.0 * 1000.0 * volume_ml / (4.0 * np.pi)) ** (1.0 / 3.0)
    grid = np.ogrid[tuple(slice(0, n) for n in shape)]
    squares = [(axis - n // 2) ** 2 for axis, n in zip(grid, shape, strict=True)]
    return np.asarray(squares[0] + squares[1] + squares[2] <= radius**2)


def _psnr(filled: NDArray, truth: NDArray) -> float:
    return psnr(float(np.mean((filled.astype(np.float64) - truth) ** 2)))
