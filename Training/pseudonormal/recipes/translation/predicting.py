"""The translator on whole maps: in 2D slice by slice, in 3D at once."""

from __future__ import annotations

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import nn

from pseudonormal.networks.translators import LATENT
from pseudonormal.recipes.translation.maps import Labels
from pseudonormal.recipes.translation.options import MULTIPLE, TranslationOptions
from pseudonormal.recipes.um.superpixels import from_network

TOGETHER = 8  # slices in a batch


def draw_latent(rng: Generator) -> NDArray[np.float32]:
    """What makes one image of a map differ from another."""
    return rng.standard_normal(LATENT, dtype=np.float32)


def translated(
    translator: nn.Module, labels: Labels, latent: NDArray[np.float32], options: TranslationOptions
) -> NDArray[np.float32]:
    """The image that a map stands for.

    :param labels: (D, H, W), 0 outside the foreground.
    :param latent: from :func:`draw_latent`; slices of a scan share it.
    :returns: (D, H, W) scaled intensities, 0 outside the foreground.
    """
    if options.dimensions == 3:
        answer = _through(translator, labels[None], latent)[0]
    else:
        answer = np.zeros(labels.shape, np.float32)
        levels = np.flatnonzero((labels > 0).any(axis=(1, 2)))
        for some in np.array_split(levels, max(1, -(-len(levels) // TOGETHER))):
            if len(some):
                answer[some] = _through(translator, labels[some], latent)
    return np.where(labels > 0, from_network(answer), 0).astype(np.float32)


def _through(translator: nn.Module, labels: NDArray, latent: NDArray[np.float32]) -> NDArray[np.float32]:
    """(B, *S) maps of any size to (B, *S) images in [-1, 1]."""
    shape = labels.shape[1:]
    padding = [(0, 0)] + [(0, max(2 * MULTIPLE, n + -n % MULTIPLE) - n) for n in shape]
    device = next(translator.parameters()).device
    inputs = torch.from_numpy(np.pad(labels, padding).astype(np.float32))[:, None].to(device)
    asked = torch.from_numpy(latent).to(device).expand(len(labels), 1, LATENT)
    with torch.inference_mode():
        answer = translator(inputs, asked)
    found: NDArray[np.float32] = answer[:, 0].float().cpu().numpy()
    return np.ascontiguousarray(found[(slice(None), *(slice(0, n) for n in shape))])
