"""From a sample to the row of a batch: moved a little, then the guide that is made from it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import ndimage

from pseudonormal.recipes.um.guides import drawn_mask, unsupervised_mask
from pseudonormal.recipes.um.options import UmOptions
from pseudonormal.recipes.um.superpixels import means, to_network

TURN_DEGREES = 8.0
ZOOM = 0.06
SHIFT = 3.0  # voxels
GAIN, OFFSET = 0.05, 0.03


def row(sample: dict[str, Any], options: UmOptions, rng: Generator) -> dict[str, NDArray[np.float32]]:
    """Draw how the sample is turned and how bright it is, and make its guide.

    "value" and "edges" are the guide, "image" the scan, in [-1, 1]; "brain", "lesion", "known", and "noise" for
    what the discriminator sees; all (*S) float32.

    :param sample: from :class:`pseudonormal.recipes.um.drawing.Drawing`.
    """
    parts = {key: value for key, value in sample.items() if isinstance(value, np.ndarray)}
    if rng.random() < 0.5:
        parts = {key: value[..., ::-1] for key, value in parts.items()}
    if options.dimensions == 2 and not options.montage:
        parts = turned(parts, rng)
    gain, offset = np.exp(rng.normal(0, GAIN)), rng.normal(0, OFFSET)
    image = np.asarray(parts["image"] * gain + offset, np.float32)
    labels, brain = parts["labels"], parts["brain"] > 0
    if options.guide == "um":
        guide = unsupervised_mask(means(image, labels), labels, options)
    else:
        guide = drawn_mask(brain, parts["lesion"] > 0, options)
    arrays = {
        "value": guide[0],
        "edges": guide[1],
        "image": np.where(brain, to_network(image), np.float32(-1)),
        "brain": brain,
        "lesion": parts["lesion"],
        "known": parts["known"],
        "noise": options.noise * rng.standard_normal(image.shape, dtype=np.float32),
    }
    return {key: np.ascontiguousarray(array, np.float32) for key, array in arrays.items()}


def turned(parts: dict[str, NDArray], rng: Generator) -> dict[str, NDArray]:
    """Turned, zoomed and shifted within the slice; what comes in from outside is background."""
    angle = np.deg2rad(rng.uniform(-TURN_DEGREES, TURN_DEGREES))
    zoom = 1 + rng.uniform(-ZOOM, ZOOM)
    matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) / zoom
    shape = parts["image"].shape
    middle = (np.array(shape) - 1) / 2
    offset = middle - matrix @ (middle + rng.uniform(-SHIFT, SHIFT, 2))
    return {
        key: ndimage.affine_transform(
            part.astype(np.uint8) if part.dtype == bool else part, matrix, offset, order=int(key == "image")
        )
        for key, part in parts.items()
    }
