"""Segmentor and restorer on whole scans: in 3D as the engine uses them, in 2D slice by slice."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from pseudonormal.fills.biharmonic import biharmonic_fill
from pseudonormal.fills.normalised_convolution import normalised_convolution_fill
from pseudonormal.fills.symmetry import SymmetryPlane, symmetry_plane
from pseudonormal.models.bundle import Calibration, Model
from pseudonormal.networks.precision import fast_precision
from pseudonormal.networks.unet import whole_edge
from pseudonormal.recipes.correction import CorrectedFill
from pseudonormal.recipes.detection import lesion_probability
from pseudonormal.recipes.fusion import Mode
from pseudonormal.recipes.halo import halo
from pseudonormal.recipes.lesion import network_input
from pseudonormal.recipes.restore import network_inputs
from pseudonormal.regions import bounding_box

SLICES = 16  # in a batch


def probability(
    networks: Mapping[str, nn.Module],
    image: NDArray[np.float32],
    brain: NDArray[np.bool_],
    *,
    dimensions: int,
    every: int = 1,
) -> NDArray[np.float32]:
    """Lesion probability of a whole scan.

    :param networks: "lesion" and "restore", of the recipe.
    :param image: (D, H, W) on the model grid, any units.
    :param brain: (D, H, W), not empty.
    :param every: in 2D, look at every n-th slice of the brain only.
    :returns: (D, H, W) float32, 0 outside the brain and in slices that were not looked at.
    """
    if dimensions == 3:
        return lesion_probability(image, brain, as_model(networks))
    z = network_input(image, brain)
    found = np.zeros(image.shape, np.float32)
    slices = np.flatnonzero(brain.any(axis=(1, 2)))[::every]
    for some in np.array_split(slices, max(1, len(slices) // SLICES)):
        inputs = np.stack([z[some], brain[some].astype(np.float32)], 1)
        answer = _run(networks["lesion"], inputs)
        found[some] = np.where(brain[some], 1 / (1 + np.exp(-answer[:, 0])), 0)
    return found


def pseudo_normal(
    networks: Mapping[str, nn.Module],
    image: NDArray[np.float32],
    lesion: NDArray[np.bool_],
    brain: NDArray[np.bool_],
    *,
    dimensions: int,
    mode: Mode = "void",
) -> NDArray[np.float32]:
    """A scan without its lesions.

    :param image: (D, H, W) on the model grid, scaled intensities.
    :param lesion: (D, H, W) voxels to replace; never changed elsewhere.
    :param mode: as of :class:`pseudonormal.recipes.correction.CorrectedFill`; in 2D "auto" is the mean of both others.
    :returns: (D, H, W).
    """
    if dimensions == 3:
        return CorrectedFill(as_model(networks), mode).restore(image, lesion, brain).normal
    normal = image.copy()
    whole = bounding_box(lesion)
    if whole is None:
        return normal
    unknown = lesion | halo(image, lesion, brain)
    plane = symmetry_plane(image, brain, unknown)
    filled = normalised_convolution_fill(image, unknown, brain)
    for index in range(whole[0].start, whole[0].stop):
        if lesion[index].any():
            answer = _slice_without(networks["restore"], image, filled, unknown, brain, plane, index, mode)
            normal[index] = np.where(lesion[index], answer, image[index])
    return normal


def _slice_without(
    restorer: nn.Module,
    image: NDArray[np.float32],
    filled: NDArray[np.float32],
    unknown: NDArray[np.bool_],
    brain: NDArray[np.bool_],
    plane: SymmetryPlane,
    index: int,
    mode: Mode,
) -> NDArray[np.float32]:
    box = (slice(index, index + 1), slice(0, image.shape[1]), slice(0, image.shape[2]))
    hole, tissue = unknown[box], brain[box]
    if not (tissue & ~hole).any():  # the other slices have to say it
        return filled[index]
    fill = biharmonic_fill(image[box], hole, within=tissue)
    smooth = normalised_convolution_fill(image[box], hole, tissue)
    # the mirror of the filled scan: interpolation at a lesion's border must not let the lesion through
    mirrored = plane.reflect_mask(brain & ~unknown, box)
    inputs = network_inputs(fill, smooth, hole, tissue, plane.reflect(filled, box), mirrored)
    mean, deviation = inputs.pop("scale")
    seen = np.where(hole, (image[box] - mean) / deviation - inputs["fill"], 0).astype(np.float32)
    views = {"void": [np.zeros_like(seen)], "guided": [seen], "auto": [np.zeros_like(seen), seen]}[mode]
    answers = [_restore(restorer, inputs | {"seen": view}) for view in views]
    normal: NDArray[np.float32] = np.mean(answers, axis=0) * deviation + mean
    return normal


def _restore(restorer: nn.Module, inputs: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
    height, width = inputs["fill"].shape[1:]
    padding = [(0, 0), (0, whole_edge(height) - height), (0, whole_edge(width) - width)]
    device = next(restorer.parameters()).device
    tensors = {key: torch.from_numpy(np.pad(value, padding))[None].to(device) for key, value in inputs.items()}
    with torch.inference_mode(), fast_precision(device):
        normal = restorer(**tensors).normal
    answer: NDArray[np.float32] = normal.float().cpu().numpy()[0, 0, :height, :width]
    return answer


def _run(network: nn.Module, slices: NDArray[np.float32]) -> NDArray[np.float32]:
    """(B, C, H, W) slices of any size through a network."""
    height, width = slices.shape[2:]
    padding = [(0, 0), (0, 0), (0, whole_edge(height) - height), (0, whole_edge(width) - width)]
    device = next(network.parameters()).device
    with torch.inference_mode(), fast_precision(device):
        answer = network(torch.from_numpy(np.pad(slices, padding)).to(device))
    found: NDArray[np.float32] = answer.float().cpu().numpy()[:, :, :height, :width]
    return found


def as_model(networks: Mapping[str, nn.Module]) -> Model:
    """The recipe's 3D networks, for what works with a loaded bundle; they find no brain."""
    return Model(
        name="smile",
        version="",
        fingerprint="",
        device=next(networks["lesion"].parameters()).device,
        brain=nn.Identity(),
        lesion=networks["lesion"],
        restore=networks["restore"],
        calibration=Calibration(),
        trained_families=(),
    )
