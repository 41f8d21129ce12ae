"""What images are made from: unsupervised masks, or the control's drawn ones; of a picture and of whole scans."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pseudonormal.recipes.um.options import UmOptions
from pseudonormal.recipes.um.superpixels import Labels, boundaries, rounded


def unsupervised_mask(values: NDArray[np.float64], labels: Labels, options: UmOptions) -> NDArray[np.float32]:
    """What the generator sees: (2, *S) in [-1, 1], value of the superpixel (-1 outside) and boundaries (1, else -1).

    :param values: of each superpixel by its number, scaled intensities; see :func:`means`.
    """
    shown = np.where(labels > 0, rounded(values, options.granularity)[labels], np.float32(-1))
    return np.stack([shown, _boundary_channel(labels, options)])


def drawn_mask(foreground: NDArray[np.bool_], lesion: NDArray[np.bool_], options: UmOptions) -> NDArray[np.float32]:
    """The control's guide: (2, *S), -1 background, 0 foreground, 1 lesion; and the boundaries between them."""
    parts = np.where(lesion & foreground, 2, foreground.astype(np.int32)).astype(np.int32)
    return np.stack([parts.astype(np.float32) - 1, _boundary_channel(parts, options)])


def _boundary_channel(labels: Labels, options: UmOptions) -> NDArray[np.float32]:
    if options.no_boundary:
        return np.full(labels.shape, -1, np.float32)
    return boundaries(labels).astype(np.float32) * 2 - 1


def unsupervised_masks(values: NDArray[np.float64], labels: Labels, options: UmOptions) -> NDArray[np.float32]:
    """:func:`unsupervised_mask` of a scan, (2, D, H, W): slice by slice in 2D, where boundaries lie within slices.

    :param labels: (D, H, W).
    """
    if options.dimensions == 3:
        return unsupervised_mask(values, labels, options)
    return np.stack([unsupervised_mask(values, level, options) for level in labels], 1)


def drawn_masks(foreground: NDArray[np.bool_], lesion: NDArray[np.bool_], options: UmOptions) -> NDArray[np.float32]:
    """:func:`drawn_mask` of a scan, (2, D, H, W)."""
    if options.dimensions == 3:
        return drawn_mask(foreground, lesion, options)
    return np.stack([drawn_mask(*level, options) for level in zip(foreground, lesion, strict=True)], 1)
