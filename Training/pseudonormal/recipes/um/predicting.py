"""The generator on whole scans, slice by slice, montage by montage or at once."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from pseudonormal.networks.two_heads import TwoHeadGenerator
from pseudonormal.recipes.um.drawing import apart, in_one
from pseudonormal.recipes.um.options import MONTAGE, UmOptions
from pseudonormal.recipes.um.superpixels import from_network

TOGETHER = 8  # slices in a batch


def made_from(
    generator: nn.Module, guide: NDArray[np.float32], brain: NDArray[np.bool_], options: UmOptions
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Image and lesion probability that the generator makes from a guide.

    :param guide: (2, D, H, W), see :mod:`pseudonormal.recipes.um.guides`.
    :param brain: (D, H, W) the foreground; 0 outside it.
    :returns: (D, H, W) scaled intensities; (D, H, W) in [0, 1].
    """
    shape = guide.shape[1:]
    if options.dimensions == 3:
        answer = _through(generator, guide[None])[:, 0]
    else:
        levels = np.flatnonzero(brain.any(axis=(1, 2)))
        answer = np.stack([np.full(shape, -1, np.float32), np.zeros(shape, np.float32)])
        for some in np.array_split(levels, max(1, -(-len(levels) // TOGETHER))):
            if options.montage:
                answer[:, some] = _montages(generator, guide[:, some])
            else:
                answer[:, some] = _through(generator, guide[:, some].swapaxes(0, 1))
    image, probability = answer
    return np.where(brain, from_network(image), 0).astype(np.float32), np.where(brain, probability, 0)


def _montages(generator: nn.Module, slices: NDArray[np.float32]) -> NDArray[np.float32]:
    """(2, N, H, W) through the generator four at a time; the last ones stand there twice if they are fewer."""
    count, whole = slices.shape[1], MONTAGE**2
    edge = TwoHeadGenerator.multiple()
    padding = [(0, 0), (0, 0)] + [(0, -n % edge) for n in slices.shape[2:]]
    wider = np.pad(slices, padding, constant_values=-1)
    order = np.arange(-(-count // whole) * whole).clip(max=count - 1)
    tiles = [wider[:, number] for number in order]
    pictures = np.stack([in_one(tiles[first : first + whole]) for first in range(0, len(tiles), whole)])
    answers = _through(generator, pictures)
    apart_again = [tile for number in range(answers.shape[1]) for tile in apart(answers[:, number])]
    height, width = slices.shape[2:]
    return np.stack(apart_again, 1)[:, :count, :height, :width]


def _through(generator: nn.Module, guides: NDArray[np.float32]) -> NDArray[np.float32]:
    """(B, 2, *S) guides of any size to (2, B, *S): images in [-1, 1] and probabilities."""
    edge, shape = TwoHeadGenerator.multiple(), guides.shape[2:]
    wanted = [max(2 * edge, n + -n % edge) for n in shape]
    padding = [(0, 0), (0, 0)] + [(0, to - n) for to, n in zip(wanted, shape, strict=True)]
    device = next(generator.parameters()).device
    with torch.inference_mode():
        image, logits = generator(torch.from_numpy(np.pad(guides, padding, constant_values=-1)).to(device))
    cut = tuple(slice(0, n) for n in shape)
    answer = torch.stack([image[:, 0], logits[:, 0].sigmoid()]).float().cpu().numpy()
    return np.ascontiguousarray(answer[(slice(None), slice(None), *cut)])
