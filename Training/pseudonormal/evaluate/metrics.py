"""How well a restoration matches the truth: pure functions on arrays in scaled intensities (data range 1).

All arrays are (D, H, W) on one grid. ``output`` is the restored image, ``truth`` the lesion-free one, ``lesion`` the
mask that was restored. The definitions are those of the project's evaluation protocol, tier A and B.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, binary_erosion, distance_transform_edt
from skimage.metrics import structural_similarity

from pseudonormal.generate.texture import gradient_magnitude

Image = NDArray[np.floating]
Mask = NDArray[np.bool_]

PSNR_CEILING = 100.0  # dB; stands for an exact restoration, whose PSNR is infinite
_SSIM_MARGIN = 8  # voxels; the Gaussian window (sigma 1.5, cut at 3.5 sigma) reaches 5
RING_MM = (1.0, 5.0)


def box_around(mask: Mask, margin: int) -> tuple[slice, ...]:
    """The mask's bounding box, grown by ``margin`` voxels and cut at the array's edges.

    :raises ValueError: when the mask is empty.
    """
    if not mask.any():
        raise ValueError("an empty mask has no bounding box")
    slices = []
    for axis in range(mask.ndim):
        others = tuple(other for other in range(mask.ndim) if other != axis)
        inside = np.flatnonzero(mask.any(axis=others))
        slices.append(slice(max(int(inside[0]) - margin, 0), min(int(inside[-1]) + 1 + margin, mask.shape[axis])))
    return tuple(slices)


def psnr(mean_squared_error: float, data_range: float = 1.0) -> float:
    """``10 log10(range^2 / MSE)`` in dB, at most ``PSNR_CEILING``."""
    if mean_squared_error <= 0:
        return PSNR_CEILING
    return float(min(10.0 * np.log10(data_range**2 / mean_squared_error), PSNR_CEILING))


def masked_ssim(output: Image, truth: Image, lesion: Mask) -> float:
    """SSIM map of the whole images (Wang et al. 2004: Gaussian window, sigma 1.5), averaged over the lesion.

    The images are not multiplied by the mask, so the lesion's rim is judged with its surroundings. Computed on a crop
    whose margin exceeds the window's reach.
    """
    box = box_around(lesion, _SSIM_MARGIN)
    return float(ssim_map(output[box], truth[box], 1.0)[lesion[box]].mean())


def ssim_map(output: Image, truth: Image, data_range: float) -> NDArray[np.float64]:
    """SSIM per voxel; images smaller than the window are grown by mirroring."""
    shape = truth.shape
    missing = [(0, max(0, 11 - size)) for size in shape]
    output, truth = (np.pad(image.astype(np.float64), missing, mode="symmetric") for image in (output, truth))
    _, similarity = structural_similarity(
        output,
        truth,
        data_range=data_range,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        full=True,
    )
    return np.asarray(similarity)[tuple(slice(size) for size in shape)]


def boundary(lesion: Mask) -> Mask:
    """The two voxel layers on both sides of the lesion's surface."""
    return np.asarray(binary_dilation(lesion) & ~binary_erosion(lesion, border_value=1), bool)


def restoration_metrics(output: Image, truth: Image, image: Image, lesion: Mask) -> dict[str, float]:
    """All tier A numbers of one lesion.

    - ``mae``, ``rmse``, ``psnr_db``, ``ssim``: output against truth inside the lesion
    - ``bias``: mean of output - truth inside the lesion
    - ``gradient_ratio``: mean gradient magnitude inside the lesion, output / truth; below 1 is blur
    - ``seam``: the same ratio on the lesion's boundary; 1 is seamless
    - ``outside_mae``, ``outside_max``: |output - image| outside the lesion; exactly 0 is demanded

    :param image: (D, H, W) what was restored, lesion included.
    """
    box = box_around(lesion, 2)
    inside = lesion[box]
    error = (output[box][inside] - truth[box][inside]).astype(np.float64)
    mean_squared = float(np.mean(error**2))
    outside_mae, outside_max = outside_change(output, image, lesion)
    return {
        "mae": float(np.mean(np.abs(error))),
        "rmse": float(np.sqrt(mean_squared)),
        "bias": float(np.mean(error)),
        "psnr_db": psnr(mean_squared),
        "ssim": masked_ssim(output, truth, lesion),
        "gradient_ratio": gradient_ratio(output, truth, lesion),
        "seam": _gradient_ratio(output[box], truth[box], boundary(inside)),
        "outside_mae": outside_mae,
        "outside_max": outside_max,
    }


def outside_change(output: Image, image: Image, lesion: Mask) -> tuple[float, float]:
    """Mean and largest |output - image| outside the lesion."""
    changed = (output != image) & ~lesion
    if not changed.any():
        return 0.0, 0.0
    change = np.abs(output[changed].astype(np.float64) - image[changed])
    return float(change.sum() / np.count_nonzero(~lesion)), float(change.max())


def gradient_ratio(output: Image, truth: Image, lesion: Mask) -> float:
    """Mean gradient magnitude inside the lesion, output / truth; nan where the truth is flat."""
    box = box_around(lesion, 2)
    return _gradient_ratio(output[box], truth[box], lesion[box])


def _gradient_ratio(output: Image, truth: Image, where: Mask) -> float:
    reference = float(gradient_magnitude(truth)[where].mean())
    return float(gradient_magnitude(output)[where].mean()) / reference if reference > 0 else float("nan")


def brats_window(truth: Image, lesion: Mask, foreground: Mask) -> tuple[float, float]:
    """The 0.5 and 99.5 percentiles of the voided input, the lower one at least 0.

    :param foreground: (D, H, W) the brain; the challenge's images are 0 outside it.
    """
    voided = np.where(foreground & ~lesion, truth, np.float32(0))
    low, high = np.percentile(voided, [0.5, 99.5])
    return max(float(low), 0.0), float(high)


def brats_metrics(output: Image, truth: Image, lesion: Mask, window: tuple[float, float]) -> dict[str, float]:
    """Numbers comparable with the BraTS local-synthesis (inpainting) challenge.

    Definition: output and truth are multiplied by the mask; both are normalised with the 0.5 and 99.5 percentiles of
    the voided input (the lower one at least 0) and clipped to [0, 1]; the SSIM map (Gaussian window, sigma 1.5, data
    range taken from the images) and the errors are averaged over the mask; ``brats_psnr`` uses the range of the
    truth inside the mask, ``brats_psnr01`` a range of 1. As the images are 0 outside the mask, SSIM of small lesions
    is inflated: use these columns only to compare with published numbers.

    :param window: ``brats_window`` of the truth.
    """
    low, high = window
    span = max(high - low, 1e-8)
    box = box_around(lesion, _SSIM_MARGIN)
    inside = lesion[box]
    output01, truth01 = (np.clip((image[box] * inside - low) / span, 0.0, 1.0) for image in (output, truth))
    difference = output01[inside].astype(np.float64) - truth01[inside]
    mean_squared = float(np.mean(difference**2))
    extent = max(float(np.ptp(output01)), float(np.ptp(truth01)), 1e-8)
    return {
        "brats_ssim": float(ssim_map(output01, truth01, extent)[inside].mean()),
        "brats_mse": mean_squared,
        "brats_rmse": float(np.sqrt(mean_squared)),
        "brats_mae": float(np.mean(np.abs(difference))),
        "brats_psnr": psnr(mean_squared, max(float(np.ptp(truth01[inside])), 1e-8)),
        "brats_psnr01": psnr(mean_squared),
    }


def ring(lesion: Mask, foreground: Mask, near_mm: float = RING_MM[0], far_mm: float = RING_MM[1]) -> Mask:
    """Normal tissue around the lesion: farther than ``near_mm`` and at most ``far_mm`` from it (1 mm voxels).

    The nearest millimetre is left out because it holds a part of the lesion.
    """
    around = np.zeros_like(lesion)
    box = box_around(lesion, int(np.ceil(far_mm)) + 1)
    distance = distance_transform_edt(~lesion[box])
    around[box] = (distance > near_mm) & (distance <= far_mm) & foreground[box]
    return around


def contrast(image: Image, lesion: Mask, around: Mask) -> float:
    """``|mean(lesion) - mean(ring)|``, in the image's units; nan when the ring is empty."""
    if not around.any():
        return float("nan")
    return abs(float(image[lesion].mean(dtype=np.float64)) - float(image[around].mean(dtype=np.float64)))


def contrast_left(output: Image, image: Image, lesion: Mask, foreground: Mask) -> float:
    """Share of the lesion's contrast to its ring that is left in the output: 0 gone, 1 untouched."""
    around = ring(lesion, foreground)
    before = contrast(image, lesion, around)
    return contrast(output, lesion, around) / before if before > 0 else float("nan")
