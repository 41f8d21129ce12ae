"""Recipe ``encoder``: features of slices to compare distributions by, learnt from painted heads alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.random import Generator
from scipy import ndimage
from torch import Tensor, nn
from torch.nn import functional

from pseudonormal.intensity import scale_from
from pseudonormal.networks.encoder import TaughtEncoder
from pseudonormal.painting.contrast import SEQUENCES, draw_contrast
from pseudonormal.painting.render import render
from pseudonormal.recipes.brain import GRID_MM, add_blobs, pose
from pseudonormal.recipes.um.superpixels import to_network
from pseudonormal.training.anatomies import Anatomy, mean_anatomies
from pseudonormal.training.streams import Streams
from pseudonormal.training.trainable import Trainable, Turn

SLICES = 12  # of each painted head: painting costs more than looking
CONTRASTS = (*SEQUENCES, "random")
NUMBERS = ("height", "ill", "blur", "noise", "steps")
LEAST_BRAIN = 150  # voxels in a slice
SEEN = 0.15  # change of scaled intensity that counts as a lesion
MOST_BLUR, MOST_NOISE, MOST_STEPS = 2.0, 0.15, 0.15


@dataclass
class EncoderRecipe(Trainable):
    """Trains the encoder to tell, of a slice, its contrast, its height, whether it is ill, and how spoilt it is.

    Blur, noise and grey levels in steps are what synthetic images suffer from; a head is never seen as it was scanned,
    so nothing of a patient is in the weights.
    """

    anatomies: Sequence[Anatomy]
    name: str = "encoder"
    players = MappingProxyType({"encoder": ("encoder",)})

    def networks(self) -> dict[str, nn.Module]:
        """One: "encoder", with its answers."""
        return {"encoder": TaughtEncoder(len(CONTRASTS) + len(NUMBERS))}

    def samples(self, rng: Generator) -> Iterator[dict[str, Any]]:
        """Axial slices of painted heads: "image" scaled intensities, "brain", (96, 96); "height", "ill", "contrast"."""
        while True:
            groups, brain = pose(self.anatomies[int(rng.integers(len(self.anatomies)))], rng)
            contrast = draw_contrast(rng)
            clean = render(groups, contrast, rng, voxel_mm=GRID_MM)
            image = add_blobs(clean, brain, rng)
            scale = scale_from(clean, brain)
            ill = np.abs(scale.apply(image) - scale.apply(clean)) > SEEN
            levels = np.flatnonzero(brain.sum(axis=(1, 2)) > LEAST_BRAIN)
            if not len(levels):
                continue
            for level in rng.choice(levels, SLICES):
                yield {
                    "image": scale.apply(image[level]).astype(np.float16),
                    "brain": brain[level],
                    "height": (level - levels[0]) / max(1, levels[-1] - levels[0]),
                    "ill": bool((ill[level] & brain[level]).sum() > 4),
                    "contrast": CONTRASTS.index(contrast.name),
                }

    def redraw(self, sample: dict[str, Any], rng: Generator) -> dict[str, Any]:
        """Mirror, and spoil: blur, noise, steps, each in half of the slices; all but "image" (1, 1)."""
        image, brain = sample["image"].astype(np.float32), sample["brain"]
        spoilt = {name: float(rng.random() * (rng.random() < 0.5)) for name in ("blur", "noise", "steps")}
        image = ndimage.gaussian_filter(image, MOST_BLUR * spoilt["blur"]) if spoilt["blur"] else image
        image = image + MOST_NOISE * spoilt["noise"] * rng.standard_normal(image.shape, dtype=np.float32)
        if spoilt["steps"]:
            step = max(MOST_STEPS * spoilt["steps"], 1e-3)
            image = np.floor(image / step) * step
        shown = np.where(brain, to_network(np.asarray(image, np.float32)), np.float32(-1))
        shown = np.roll(shown, rng.integers(-6, 7, 2), (0, 1))
        numbers = {**spoilt, **{name: float(sample[name]) for name in ("height", "ill", "contrast")}}
        flip = -1 if rng.random() < 0.5 else 1
        answers = {name: np.full((1, 1), value, np.float32) for name, value in numbers.items()}
        return {"image": np.ascontiguousarray(shown[:, ::flip], np.float32), **answers}

    def loss(self, networks: Mapping[str, nn.Module], batch: Mapping[str, Tensor], turn: Turn) -> dict[str, Tensor]:
        """Cross-entropy of contrast and lesion, squared error of the others."""
        answers = networks["encoder"](batch["image"]).float()
        of = {name: batch[name].flatten() for name in (*NUMBERS, "contrast")}
        contrast = functional.cross_entropy(answers[:, : len(CONTRASTS)], of["contrast"].long())
        said = dict(zip(NUMBERS, answers[:, len(CONTRASTS) :].unbind(1), strict=True))
        ill = functional.binary_cross_entropy_with_logits(said["ill"], of["ill"])
        errors = {name: (said[name] - of[name]).square().mean() for name in NUMBERS if name != "ill"}
        total = contrast + ill + sum((10 * error for error in errors.values()), ill.new_zeros(()))
        terms = {"contrast": contrast, "ill": ill, **errors}
        return {"loss": total, **{name: value.detach() for name, value in terms.items()}}


def encoder_anatomies(streams: Streams) -> Sequence[Anatomy]:
    """Label maps, or where none is given, heads made from the mean brain that the software ships."""
    return streams.label_maps or mean_anatomies()
