"""Find the brain in a head scan of any contrast, with or without its skull."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import nn

from pseudonormal.errors import InputError
from pseudonormal.networks.precision import fast_precision
from pseudonormal.networks.unet import whole_edge
from pseudonormal.recipes.brain import GRID_MM, SIZE, standardise
from pseudonormal.recipes.stripped import stripped_tissue
from pseudonormal.regions import largest
from pseudonormal.scan.interpolate import along_axis

LEAST_BRAIN_ML = 100.0
SURE = 0.5  # logit that the clean-up of the 2 mm mask leaves at least, either way


class BrainModel(Protocol):
    """What finds brains: a loaded model, or a brain network alone."""

    @property
    def brain(self) -> nn.Module:
        """See :func:`pseudonormal.recipes.brain.brain_network`."""
        ...

    @property
    def device(self) -> torch.device:
        """Where it is."""
        ...


def find_brain(image: NDArray[np.float32], model: BrainModel) -> NDArray[np.bool_]:
    """Segment the brain.

    A first look at the whole field of view finds where the brain is, a second one at the cube of 19 cm around it, the
    size of training, gives the mask. A scan whose skull somebody else has taken off keeps the brain that is left.

    :param image: (D, H, W) on the model grid (RAS axes, 1 mm), any units.
    :returns: (D, H, W), one connected region without holes.
    :raises InputError: no brain of at least 100 ml is in the picture.
    """
    small = image
    for axis, length in enumerate(image.shape):
        small = along_axis(small, axis, max(1, round(length / GRID_MM)), GRID_MM, "linear")
    logits = _look(small, model)
    if max(small.shape) > SIZE:
        centre = ndimage.center_of_mass(logits > 0) if (logits > 0).any() else np.array(small.shape) / 2
        starts = [
            int(np.clip(round(c) - SIZE // 2, 0, max(0, n - SIZE))) for c, n in zip(centre, small.shape, strict=True)
        ]
        box = tuple(slice(s, s + SIZE) for s in starts)
        closer = np.full_like(logits, logits.min())
        closer[box] = _look(small[box], model)
        logits = closer
    head = largest(logits > 0)
    if head.sum() * GRID_MM**3 < 1000 * LEAST_BRAIN_ML:
        raise InputError("no brain was found in this image: give a head or brain scan, or a --foreground mask")
    head = ndimage.binary_fill_holes(head)
    tissue = stripped_tissue(image, small, head)
    if tissue is not None:
        return tissue
    logits = np.where(head, np.maximum(logits, SURE), np.minimum(logits, -SURE))
    for axis, length in enumerate(image.shape):
        logits = along_axis(logits, axis, length, 1 / GRID_MM, "linear")
    return logits > 0


def _look(image: NDArray[np.float32], model: BrainModel) -> NDArray[np.float32]:
    """Logits at 2 mm; the image is padded with its darkest value to a size the network can take."""
    padding = [(0, whole_edge(n) - n) for n in image.shape]
    low, high = np.percentile(image, [0.5, 99.5])
    padded = np.pad(np.clip(image, low, high), padding, constant_values=low)
    tensor = torch.from_numpy(standardise(padded.astype(np.float32)))[None, None]
    tensor = tensor.to(device=model.device, memory_format=torch.channels_last_3d)
    with torch.inference_mode(), fast_precision(model.device):
        logits = model.brain(tensor).float().cpu().numpy()[0, 0]
    return np.ascontiguousarray(logits[tuple(slice(0, n) for n in image.shape)])
