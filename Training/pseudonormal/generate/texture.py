"""Seeded grain for the eye: restored tissue is an expected image, hence smoother than the tissue around it.

The grain never enters the difference map, which is taken from the smooth pseudo-normal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from pseudonormal.regions import connected

RING = 5
"""Width in voxels of the shell around a lesion that its grain is learnt from."""
RIM = 2
"""Voxels this near to the end of the foreground are left out: the brain's edge is no texture."""
SMOOTHING = 3.0
"""Standard deviation in voxels that parts tissue classes (coarser) from grain (finer). Wide enough for the grain
to hold folds and vessels: finer grain of the same gradient looks like snow."""
LAGS = 7
"""The grain's autocorrelation is measured up to this lag in voxels."""
LEVELS = 8
"""Number of intensity classes in which gradients are compared."""
LIKE = 0.5
"""Weight of tissue of the same intensity class against all tissue around: classes alone know too little of the edges
between tissues that a smooth fill has lost, all tissue alone too little of where the lesion lies."""
ENOUGH = 200
"""Fewest voxels of surrounding tissue to learn from."""
MOST = 4.0
"""The grain's amplitude is at most this times the residual measured around the lesion."""


@dataclass(frozen=True)
class Grain:
    """What was added to one lesion; with the seed it replays the texture.

    :param voxels: number of voxels of the lesion.
    :param amplitude: standard deviation of the grain before it fades to the edge, image units; 0 where none was added.
    :param gradient_before: mean gradient magnitude in the lesion before, image units per voxel.
    :param gradient_after: the same after.
    :param gradient_wanted: mean gradient magnitude of comparable tissue around it; None where there was too little.
    """

    voxels: int
    amplitude: float
    gradient_before: float
    gradient_after: float
    gradient_wanted: float | None


@dataclass(frozen=True)
class Texture:
    """A pseudo-normal with grain.

    :param normal: (D, H, W) float32, changed inside the lesion only.
    :param seed: the seed it was drawn with.
    :param grains: one record per connected lesion, in array order of their first voxel.
    """

    normal: NDArray[np.float32]
    seed: int
    grains: tuple[Grain, ...]


def add_texture(
    normal: NDArray[np.floating],
    lesion: NDArray[np.bool_],
    image: NDArray[np.floating],
    foreground: NDArray[np.bool_],
    seed: int,
) -> Texture:
    """Add grain to restored tissue until its mean gradient magnitude is that of the tissue around it.

    For each connected lesion: the residual ``image - smooth(image)`` of the surrounding shell gives an
    autocorrelation; white noise filtered to it, fading out at the mask's edge, is scaled by bisection until the mean
    ``|grad|`` over the lesion (its edge included) equals what shell voxels, partly of its intensity classes, have.

    :param normal: (D, H, W) pseudo-normal on any grid, any units.
    :param lesion: (D, H, W) the restored voxels.
    :param image: (D, H, W) the scan in the same units; only read outside the lesion.
    :param foreground: (D, H, W) the brain, lesions included.
    :param seed: the same seed gives the same grain.
    """
    result = np.array(normal, np.float32)
    labels, _ = connected(lesion)
    margin = RING + RIM + 2
    grains = []
    for number, box in enumerate(ndimage.find_objects(labels), start=1):
        crop = tuple(
            slice(max(axis.start - margin, 0), min(axis.stop + margin, length))
            for axis, length in zip(box, lesion.shape, strict=True)
        )
        inside = labels[crop] == number
        tissue = foreground[crop] & ~lesion[crop]
        surrounding = np.where(lesion[crop], result[crop], image[crop]).astype(np.float32)
        rng = np.random.default_rng([seed, number])
        result[crop], grain = _fill_in(surrounding, inside, tissue, foreground[crop], result[crop], rng)
        grains.append(grain)
    return Texture(result, seed, tuple(grains))


def gradient_magnitude(image: NDArray[np.floating]) -> NDArray[np.float32]:
    """Length of the central-difference gradient.

    :param image: (D, H, W); axes of a single voxel count as flat.
    :returns: (D, H, W) image units per voxel.
    """
    total = np.zeros(image.shape, np.float32)
    for axis in range(image.ndim):
        if image.shape[axis] > 1:
            total += np.gradient(image, axis=axis).astype(np.float32) ** 2
    return np.sqrt(total)


def _fill_in(
    surrounding: NDArray[np.float32],
    inside: NDArray[np.bool_],
    tissue: NDArray[np.bool_],
    brain: NDArray[np.bool_],
    normal: NDArray[np.float32],
    rng: np.random.Generator,
) -> tuple[NDArray[np.float32], Grain]:
    """Add grain to one lesion in its neighbourhood and say what was added."""
    before = float(gradient_magnitude(surrounding)[inside].mean())
    untouched = normal.copy(), Grain(int(inside.sum()), 0.0, before, before, None)
    distance = ndimage.distance_transform_edt(~inside)
    core = _away_from_edge(brain)
    ring = tissue & core & (distance <= RING)
    if ring.sum() < ENOUGH:
        return untouched
    smooth = _smooth_within(surrounding, brain)
    wanted = _gradient_of_like_tissue(surrounding, smooth, inside, ring, core)
    residual = np.where(ring, surrounding - smooth, 0.0).astype(np.float32)
    residual[ring] -= residual[ring].mean()
    spread = float(residual[ring].std())
    if wanted <= before or spread == 0.0:
        return untouched[0], Grain(int(inside.sum()), 0.0, before, before, wanted)
    fade = np.minimum(ndimage.distance_transform_edt(inside) / 2.0, 1.0).astype(np.float32)
    pattern = _noise_like(residual, ring, rng) * fade * inside

    def gradient(amplitude: float) -> float:
        return float(gradient_magnitude(surrounding + np.float32(amplitude) * pattern)[inside].mean())

    low, high = 0.0, MOST * spread
    for _ in range(12):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if gradient(middle) < wanted else (low, middle)
    amplitude = 0.5 * (low + high)
    grain = Grain(int(inside.sum()), amplitude, before, gradient(amplitude), wanted)
    return normal + np.float32(amplitude) * pattern, grain


def _away_from_edge(brain: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The brain without its outermost voxels; where the picture ends inside the brain there is no edge."""
    return ndimage.binary_erosion(brain, iterations=RIM, border_value=1)


def _smooth_within(image: NDArray[np.float32], mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Gaussian mean over the mask's voxels only (normalised convolution)."""
    weight = ndimage.gaussian_filter(mask.astype(np.float32), SMOOTHING)
    mean = ndimage.gaussian_filter(np.where(mask, image, 0.0).astype(np.float32), SMOOTHING)
    return np.divide(mean, weight, out=np.zeros_like(mean), where=weight > 1e-3)


def _gradient_of_like_tissue(
    image: NDArray[np.float32],
    smooth: NDArray[np.float32],
    inside: NDArray[np.bool_],
    ring: NDArray[np.bool_],
    core: NDArray[np.bool_],
) -> float:
    """Mean gradient magnitude to expect in the lesion: the shell's, partly weighted to the lesion's mixture of classes.

    Classes are quantiles of the shell's smoothed intensity (see ``LIKE``). Lesion voxels at the brain's edge count
    with the gradient they have, as that edge is the brain's and not the grain's.
    """
    magnitude = gradient_magnitude(image)
    edges = np.quantile(smooth[ring], np.linspace(0, 1, LEVELS + 1)[1:-1])
    in_ring, in_lesion = np.searchsorted(edges, smooth[ring]), np.searchsorted(edges, smooth[inside & core])
    overall = float(magnitude[ring].mean())
    count = np.bincount(in_ring, minlength=LEVELS)
    total = np.bincount(in_ring, weights=magnitude[ring], minlength=LEVELS)
    by_class = np.where(count >= ENOUGH / LEVELS / 2, total / np.maximum(count, 1), overall)
    expected = magnitude.astype(np.float64)
    expected[inside & core] = LIKE * by_class[in_lesion] + (1.0 - LIKE) * overall
    return float(expected[inside].mean())


def _noise_like(
    residual: NDArray[np.float32], ring: NDArray[np.bool_], rng: np.random.Generator
) -> NDArray[np.float32]:
    """Gaussian noise of unit variance with the autocorrelation of the residual in the shell.

    The autocorrelation over a masked region is the ratio of the correlations of values and of mask
    (Wiener-Khinchin); lags above ``LAGS`` fade to 0 and negative powers, which only sampling error makes, are cut.
    """
    shape = residual.shape
    padded = tuple(fft.next_fast_len(length + LAGS, real=True) for length in shape)
    values, weights = (np.abs(fft.rfftn(part, padded)) ** 2 for part in (residual, ring.astype(np.float32)))
    products, pairs = fft.irfftn(values, padded), fft.irfftn(weights, padded)
    correlation = np.where(pairs > 0.5, products / np.maximum(pairs, 0.5), 0.0)
    for axis, length in enumerate(padded):
        lag = np.minimum(np.arange(length), length - np.arange(length))
        window = np.where(lag <= LAGS, 0.5 + 0.5 * np.cos(np.pi * lag / (LAGS + 1)), 0.0)
        correlation *= np.expand_dims(window, tuple(other for other in range(3) if other != axis))
    power = np.maximum(fft.rfftn(correlation).real, 0.0)
    noise = fft.irfftn(fft.rfftn(rng.standard_normal(padded)) * np.sqrt(power), padded)
    noise = noise[tuple(slice(length) for length in shape)]
    return (noise / max(float(noise.std()), 1e-12)).astype(np.float32)
