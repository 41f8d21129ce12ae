"""Find lesions without a mask: the lesion network over the brain, window by window."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor, nn

from pseudonormal.errors import InputError
from pseudonormal.models.bundle import Calibration, Model
from pseudonormal.monai_parts import sliding_window_inference
from pseudonormal.networks.precision import fast_precision
from pseudonormal.recipes.lesion import network_input
from pseudonormal.recipes.vessels import LIMITS, vessels_in
from pseudonormal.regions import NEIGHBOURS, bounding_box, connected, sizes

WINDOW = 128
OVERLAP = 0.25
MARGIN = 4
SUSPECT = 0.1  # lesion probability from which tissue beside a lesion is not taken for normal


def lesion_probability(image: NDArray[np.float32], brain: NDArray[np.bool_], model: Model) -> NDArray[np.float32]:
    """Probability that a voxel is abnormal: the first of :func:`lesions_and_vessels`."""
    return lesions_and_vessels(image, brain, model)[0]


def lesions_and_vessels(
    image: NDArray[np.float32], brain: NDArray[np.bool_], model: Model
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Probability that a voxel is abnormal, and what the network found but looks like enhancing vessels.

    :param image: (D, H, W) on the model grid (RAS axes, 1 mm), any units.
    :param brain: (D, H, W) the foreground.
    :returns: (D, H, W) float32 in [0, 1], 0 outside the brain and in vessels, at the temperature of the model's
        calibration; (D, H, W) the vessels, see :func:`pseudonormal.recipes.vessels.vessels_in`.
    :raises InputError: the foreground is empty or has no contrast.
    """
    z = network_input(image, brain)
    probability = _by_network(z, brain, model)
    found = lesion_mask(probability, model.calibration)
    vessels = vessels_in(found, z, brain, probability < SUSPECT)
    probability[vessels] = 0
    return probability, vessels


def _by_network(z: NDArray[np.float32], brain: NDArray[np.bool_], model: Model) -> NDArray[np.float32]:
    extent = bounding_box(brain)
    if extent is None:
        raise InputError("the foreground is empty: give a mask that holds the brain")
    box = tuple(slice(max(0, axis.start - MARGIN), axis.stop + MARGIN) for axis in extent)
    inside = brain[box]
    channels = np.stack([z[box], inside.astype(np.float32)])
    tensor = torch.from_numpy(channels)[None].to(model.device)
    with torch.inference_mode(), fast_precision(model.device):
        logits = sliding_window_inference(
            tensor, (WINDOW,) * 3, 1, _channels_last(model.lesion), overlap=OVERLAP, mode="gaussian"
        )
    assert isinstance(logits, Tensor)
    probability = np.zeros(z.shape, np.float32)
    logits = logits.float() / model.calibration.temperature
    probability[box] = np.where(inside, torch.sigmoid(logits).cpu().numpy()[0, 0], 0)
    return probability


def _channels_last(network: nn.Module) -> Callable[[Tensor], Tensor]:
    return lambda window: network(window.to(memory_format=torch.channels_last_3d)).float()


def lesion_mask(probability: NDArray[np.float32], calibration: Calibration) -> NDArray[np.bool_]:
    """Regions above the lesion threshold that hold at least one sure voxel and are large enough (hysteresis).

    :param probability: (D, H, W) on the model grid (1 mm).
    """
    found = without_crumbs(probability >= calibration.lesion_threshold, 1000 * calibration.least_ml)
    labels, count = connected(found)
    sure = np.zeros(count + 1, bool)
    sure[labels[found & (probability >= calibration.sure_probability)]] = True
    mask: NDArray[np.bool_] = sure[labels]
    return mask


def with_suspects(lesion: NDArray[np.bool_], probability: NDArray[np.float32]) -> NDArray[np.bool_]:
    """A lesion mask with what lies beside it and may be diseased: no evidence of what normal is.

    :param lesion: (D, H, W) from :func:`lesion_mask`.
    :param probability: (D, H, W) what it was made from.
    :returns: (D, H, W) the mask and all voxels of at least ``SUSPECT`` that are connected to it.
    """
    return np.asarray(ndimage.binary_propagation(lesion, NEIGHBOURS, lesion | (probability >= SUSPECT)), bool)


def without_crumbs(mask: NDArray[np.bool_], least_voxels: float) -> NDArray[np.bool_]:
    """The connected regions (26 neighbours) of at least so many voxels; (D, H, W) on any grid."""
    labels, _ = connected(mask)
    kept: NDArray[np.bool_] = (sizes(labels) >= max(least_voxels, 1))[labels]
    return kept


@dataclass(frozen=True)
class LesionFinder:
    """A model's lesions by its calibrated threshold: ``finder(image, foreground) -> mask``, (D, H, W), model grid."""

    model: Model

    @property
    def fingerprint(self) -> str:
        """Changes with the lesion network's weights and thresholds, and with what is taken for a vessel."""
        calibration = self.model.calibration
        weights = self.model.hashes.get("lesion", self.model.fingerprint)
        thresholds = f"{calibration.lesion_threshold}:{calibration.sure_probability}:{calibration.least_ml}"
        return f"{weights}:{thresholds}:{calibration.temperature}:{LIMITS}"

    def probability(self, image: NDArray[np.float32], foreground: NDArray[np.bool_]) -> NDArray[np.float32]:
        """See :func:`lesion_probability`."""
        return lesion_probability(image, foreground, self.model)

    def mask(self, probability: NDArray[np.float32]) -> NDArray[np.bool_]:
        """See :func:`lesion_mask`."""
        return lesion_mask(probability, self.model.calibration)

    def __call__(self, image: NDArray[np.float32], foreground: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Find lesions."""
        return self.mask(self.probability(image, foreground))
