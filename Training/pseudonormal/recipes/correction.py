"""Restore lesions with the trained network: classical fills, blended and corrected, in mode void, guided or auto."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from pseudonormal.fills.biharmonic import biharmonic_fill
from pseudonormal.fills.normalised_convolution import normalised_convolution_fill
from pseudonormal.fills.symmetry import SymmetryPlane, symmetry_plane
from pseudonormal.models.bundle import Model
from pseudonormal.networks.precision import fast_precision
from pseudonormal.networks.unet import whole_edge
from pseudonormal.recipes.fusion import LARGEST, TINY_ML, Look, Mode, View, fuse, guided_share
from pseudonormal.recipes.halo import halo
from pseudonormal.recipes.patches import Box, patches
from pseudonormal.recipes.restoration import Restoration
from pseudonormal.recipes.restore import network_inputs
from pseudonormal.regions import connected, sizes


@dataclass(frozen=True)
class CorrectedFill:
    """The default model as a restorer.

    :param mode: "void" (the lesion's own intensities are never looked at), "guided", or "auto" (as much of each as it
        deserves, see :mod:`pseudonormal.recipes.fusion`).
    """

    model: Model
    mode: Mode = "auto"

    @property
    def name(self) -> str:
        """For instance "brain-mr" or "brain-mr:void"."""
        return self.model.name if self.mode == "auto" else f"{self.model.name}:{self.mode}"

    @property
    def fingerprint(self) -> str:
        """Changes with the restorer's weights, the mode and how answers are fused."""
        calibration = self.model.calibration
        fusion = (calibration.guided_reach, calibration.start_share, TINY_ML)
        return f"{self.model.hashes.get('restore', self.model.fingerprint)}:{self.mode}:{fusion}"

    @property
    def trained_families(self) -> tuple[str, ...]:
        """Lesion families seen in training."""
        return self.model.trained_families

    def restore(
        self, image: NDArray[np.float32], lesion: NDArray[np.bool_], foreground: NDArray[np.bool_]
    ) -> Restoration:
        """Restore every lesion; see :class:`pseudonormal.recipes.restoration.Restorer`."""
        normal, error = image.copy(), np.zeros(image.shape, np.float32)
        modes: dict[int, str] = {}
        for look in self.looks(image, lesion, foreground):
            share = guided_share(look, self.mode, self.model.calibration)
            fused = fuse(look, share, self.model.calibration)
            modes[look.label] = "guided" if share > 0.5 else "void"
            normal[look.box][look.inside] = fused.normal[look.inside]
            error[look.box][look.inside] = fused.error[look.inside]
        return Restoration(normal, error, tuple(modes[label] for label in sorted(modes)))

    def looks(
        self, image: NDArray[np.float32], lesion: NDArray[np.bool_], foreground: NDArray[np.bool_]
    ) -> Iterator[Look]:
        """What the network makes of each connected lesion, in the modes that were asked for.

        Parameters as for :meth:`restore`; looks come in the order of their patches, not of their labels.
        """
        labels, count = connected(lesion)
        if count == 0:
            return
        brain = foreground | lesion
        unknown = lesion | halo(image, lesion, foreground)
        smooth = normalised_convolution_fill(image, unknown, brain)
        fills = _Fills(_start(image, unknown, brain, smooth), smooth, symmetry_plane(image, foreground, unknown))
        for box, members in patches(labels):
            void, guided = self._views(image, unknown, brain, fills, box)
            for label in members:
                yield Look(label, box, labels[box] == label, fills.start[box], fills.smooth[box], void, guided)

    def _views(
        self, image: NDArray[np.float32], unknown: NDArray[np.bool_], brain: NDArray[np.bool_], fills: _Fills, box: Box
    ) -> tuple[View, View | None]:
        """Run the network on one box, all wanted modes in one batch."""
        # the mirror of the filled image: interpolation at a lesion's border must not let the lesion through
        mirror = fills.plane.reflect(fills.start, box)
        mirrored = fills.plane.reflect_mask(brain & ~unknown, box)
        inputs = network_inputs(fills.start[box], fills.smooth[box], unknown[box], brain[box], mirror, mirrored)
        mean, deviation = inputs.pop("scale")
        seen = np.where(unknown[box], (image[box] - mean) / deviation - inputs["fill"], 0).astype(np.float32)
        views = np.stack([np.zeros_like(seen)] if self.mode == "void" else [np.zeros_like(seen), seen])
        batch = {key: np.broadcast_to(value, views.shape) for key, value in inputs.items()} | {"seen": views}
        padding = [(0, 0), *((0, whole_edge(n) - n) for n in seen.shape)]
        tensors = {
            key: torch.from_numpy(np.pad(value, padding))[:, None].to(self.model.device) for key, value in batch.items()
        }
        with torch.inference_mode(), fast_precision(self.model.device):
            restored = self.model.restore(**tensors)
        whole = (slice(None), 0, *(slice(0, n) for n in seen.shape))
        normals = restored.normal.float().cpu().numpy()[whole] * deviation + mean
        errors = restored.log_error.float().exp().cpu().numpy()[whole] * deviation
        found = [View(normal, error) for normal, error in zip(normals, errors, strict=True)]
        return found[0], found[1] if len(found) > 1 else None


def _start(
    image: NDArray[np.float32], unknown: NDArray[np.bool_], brain: NDArray[np.bool_], smooth: NDArray[np.float32]
) -> NDArray[np.float32]:
    """The biharmonic fill; in holes larger than any in training, where it overshoots, the smooth one."""
    labels, _ = connected(unknown)
    large = (sizes(labels) > LARGEST)[labels]
    start = biharmonic_fill(np.where(large, smooth, image), unknown & ~large, within=brain)
    start[large] = smooth[large]
    return start


@dataclass(frozen=True)
class _Fills:
    """The classical answers that the network starts from."""

    start: NDArray[np.float32]
    smooth: NDArray[np.float32]
    plane: SymmetryPlane
