"""Recipe ``restore``: the network that blends and corrects classical fills of a lesion."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor, nn

from pseudonormal.fills.biharmonic import biharmonic_fill
from pseudonormal.fills.normalised_convolution import normalised_convolution_fill
from pseudonormal.fills.symmetry import SymmetryPlane
from pseudonormal.lesions.appearance import FAMILIES
from pseudonormal.lesions.shapes import ShapeSource
from pseudonormal.lesions.source import LesionSource, Place
from pseudonormal.losses import laplace_nll, log_squared_error
from pseudonormal.networks.restorer import RestorerNetwork
from pseudonormal.painting.contrast import draw_contrast
from pseudonormal.painting.render import render
from pseudonormal.painting.tissues import is_intracranial
from pseudonormal.training.crops import Crop, cut, posed
from pseudonormal.training.streams import Anatomy, Reference
from pseudonormal.training.trainable import Trainable, Turn

# Opaque lesions are the hard ones for a network that may look: it has to learn when not to.
FAMILY_ODDS = {"additive_bright": 0.2, "additive_dark": 0.2, "opaque": 0.25, "replacing": 0.35}
SPANS = (3.0, 14.0)
PATCHES = {"small": (64, 1.0), "large": (96, 0.4)}  # edge in voxels, share of a batch's rows
BORDER = 8  # voxels of normal tissue that a patch shows on each side of its lesion
REGION = 120
PLACES_PER_REGION = 3  # painting a region costs more than a fill
VOLUME_ML = (0.2, 40.0)
REAL_SHARE = 0.45


@dataclass
class RestoreRecipe(Trainable):
    """Trains :class:`RestorerNetwork` on simulated lesions in real and synthetic normal tissue."""

    anatomies: Sequence[Anatomy]
    mirrored_anatomies: Sequence[NDArray[np.uint8]]
    references: Sequence[Reference]
    planes: Sequence[SymmetryPlane]
    shapes: Sequence[ShapeSource]
    name: str = "restore"
    players = MappingProxyType({"restore": ("restore",)})

    def __post_init__(self) -> None:
        self._source = LesionSource(self.shapes, {name: FAMILIES[name] for name in FAMILY_ODDS})

    def networks(self) -> dict[str, nn.Module]:
        """A fresh restorer: the classical fill itself."""
        return {"restore": RestorerNetwork()}

    def samples(self, rng: Generator) -> Iterator[dict[str, Any]]:
        """Patches with a hole: "truth", "opacity", "fill", "mirror", "mirrored" and the group ("small", "large")."""
        while True:
            region = self._real(rng) if rng.random() < REAL_SHARE else self._synthetic(rng)
            allowed = region.brain & ~region.doubtful
            for _ in range(PLACES_PER_REGION):
                place = self._source.place(allowed, rng, volume_ml=VOLUME_ML) if allowed.any() else None
                sample = self._patch(region, place, rng) if place else None
                if sample:
                    yield sample

    def _real(self, rng: Generator) -> Crop:
        index = int(rng.integers(len(self.references)))
        reference, plane = self.references[index], self.planes[index]
        places = np.argwhere((reference.brain & ~reference.doubtful)[::4, ::4, ::4]) * 4
        centre = places[int(rng.integers(len(places)))]
        return cut(reference, plane, centre, REGION)

    def _synthetic(self, rng: Generator) -> Crop:
        index = int(rng.integers(len(self.anatomies)))
        anatomy = self.anatomies[index]
        parts = (anatomy.groups, anatomy.brain, self.mirrored_anatomies[index])
        groups, brain, mirrored_groups = posed(parts, anatomy.brain, REGION, rng)
        contrast, state = draw_contrast(rng), rng.integers(2**31)
        # the same random numbers for both sides: one bias field, one resolution, as in one scan
        image = render(groups, contrast, np.random.default_rng(state))
        mirror = render(mirrored_groups, contrast, np.random.default_rng(state))
        return Crop(image, brain > 0, np.zeros(image.shape, bool), mirror, is_intracranial(mirrored_groups))

    def _patch(self, region: Crop, place: Place, rng: Generator) -> dict[str, Any] | None:
        extent = max(s.stop - s.start for s in place.box)
        group = "small" if extent + 2 * BORDER <= PATCHES["small"][0] else "large"
        edge, share = PATCHES[group]
        if extent + 2 * BORDER > edge:
            return None
        opacity = np.zeros(region.image.shape, np.float32)
        opacity[place.box] = place.opacity
        room = (edge - extent) // 2 - BORDER
        starts = [
            int(np.clip((s.start + s.stop - edge) // 2 + rng.integers(-room, room + 1), 0, size - edge))
            for s, size in zip(place.box, region.image.shape, strict=True)
        ]
        box = tuple(slice(s, s + edge) for s in starts)
        lesion = opacity[box] > 0
        if not lesion.any():
            return None
        truth, brain = region.image[box], region.brain[box]
        grown = lesion if rng.random() < 0.5 else ndimage.binary_dilation(lesion) & brain
        fill = biharmonic_fill(truth, grown, within=brain)
        smooth = normalised_convolution_fill(truth, grown, brain)
        half = np.float16
        return {
            "group": group,
            "share": share,
            "truth": truth.astype(half),
            "opacity": opacity[box].astype(half),
            "lesion": grown,
            "brain": brain,
            "fill": fill.astype(half),
            "smooth": smooth.astype(half),
            "mirror": region.mirror[box].astype(half),
            "mirrored": region.mirrored[box] & ~region.doubtful[box],
        }

    def redraw(self, sample: dict[str, Any], rng: Generator) -> dict[str, Any]:
        """Give the hole a lesion of some appearance, or none ("void"); mirror the patch; turn its contrast over."""
        truth, fill = sample["truth"].astype(np.float32), sample["fill"].astype(np.float32)
        smooth, mirror = sample["smooth"].astype(np.float32), sample["mirror"].astype(np.float32)
        lesion = sample["lesion"]
        sign = np.float32(-1.0 if rng.random() < 0.25 else 1.0)
        truth, fill, smooth, mirror = sign * truth, sign * fill, sign * smooth, sign * mirror
        inputs = network_inputs(fill, smooth, lesion, sample["brain"], mirror, sample["mirrored"])
        scale = inputs.pop("scale")
        target = (truth - scale[0]) / scale[1]
        seen = np.zeros_like(fill)
        if rng.random() < 0.6:
            family = str(rng.choice(list(FAMILY_ODDS), p=list(FAMILY_ODDS.values())))
            opacity = sample["opacity"].astype(np.float32)
            # families speak of intensities in [0, 1], which a whole brain spans; how many standard deviations of the
            # patch's own tissue that is differs from place to place: few in busy cortex, many in plain white matter
            span = float(np.exp(rng.uniform(*np.log(SPANS))))
            unit = target / span + np.float32(0.5)
            painted, _ = self._source.families[family](unit, opacity, rng)
            seen = np.where(lesion, (np.where(opacity > 0, painted, unit) - 0.5) * span - inputs["fill"], 0.0)
        flips = tuple(slice(None, None, -1 if rng.random() < 0.5 else 1) for _ in range(3))
        arrays = {**inputs, "seen": seen.astype(np.float32), "target": target.astype(np.float32)}
        return {key: np.ascontiguousarray(value[flips]) for key, value in arrays.items()}

    def loss(self, networks: Mapping[str, nn.Module], batch: Mapping[str, Tensor], turn: Turn) -> dict[str, Tensor]:
        """``log MSE`` inside the lesion plus the likelihood of the network's own error estimate."""
        lesion = batch["lesion"]
        restored = networks[turn.player](**{key: value for key, value in batch.items() if key != "target"})
        error = log_squared_error(restored.normal, batch["target"], lesion)
        likelihood = laplace_nll(restored.log_error, (restored.normal - batch["target"]).detach(), lesion)
        with torch.no_grad():
            gain = log_squared_error(batch["fill"], batch["target"], lesion) - error
        return {"loss": error + 0.2 * likelihood, "gain_db": 4.343 * gain, "likelihood": likelihood.detach()}


def network_inputs(
    fill: NDArray[np.float32],
    smooth: NDArray[np.float32],
    lesion: NDArray[np.bool_],
    brain: NDArray[np.bool_],
    mirror: NDArray[np.float32],
    mirrored: NDArray[np.bool_],
) -> dict[str, Any]:
    """Standardise a patch by its normal tissue, the way the network is trained and used.

    :param fill: (D, H, W) the patch with its lesion filled, scaled intensities; all others on the same box.
    :param smooth: the same with the smooth fill.
    :param mirror: the other hemisphere, where ``mirrored`` says that it is known.
    :returns: "fill", "smooth", "lesion", "mirror", "mirrored" as float32 arrays in standard deviations of the patch's
        normal tissue, and "scale": its (mean, standard deviation).
    """
    normal = brain & ~lesion
    values = fill[normal] if normal.sum() > 100 else fill.ravel()
    mean, deviation = float(values.mean()), max(float(values.std()), 1e-4)
    near = ndimage.binary_dilation(lesion, iterations=4) & normal & mirrored
    offset = float((fill - mirror)[near].mean()) if near.any() else 0.0
    return {
        "fill": np.clip((fill - mean) / deviation, -5, 5).astype(np.float32),
        "smooth": np.clip((smooth - fill) / deviation, -5, 5).astype(np.float32),
        "lesion": lesion.astype(np.float32),
        "mirror": np.clip(np.where(mirrored, mirror + offset - fill, 0) / deviation, -4, 4).astype(np.float32),
        "mirrored": mirrored.astype(np.float32),
        "scale": (mean, deviation),
    }
