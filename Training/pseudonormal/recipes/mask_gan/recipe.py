"""Recipe ``mask-gan``: lesion masks that nobody has drawn (Platscher 2022, arXiv 2010.02745)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor, nn

from pseudonormal.losses import gradient_penalty
from pseudonormal.networks.mask_gan import ABOUT, LATENT, MaskCritic
from pseudonormal.recipes.mask_gan.asking import unlike_asked
from pseudonormal.recipes.mask_gan.checking import check
from pseudonormal.recipes.mask_gan.drawing import mask_generator
from pseudonormal.recipes.mask_gan.frame import about
from pseudonormal.recipes.mask_gan.material import MaskGanMaterial
from pseudonormal.recipes.mask_gan.options import CRITIC, GENERATOR, NAME, MaskGanOptions
from pseudonormal.training.trainable import Trainable, Turn

MOVED = 0.02  # standard deviation of what masks are shifted by, share of the edge; stretched likewise
DRIFT = 1e-3  # keeps the critic's numbers near 0 (Karras 2018), which only their differences matter for


@dataclass
class MaskGanRecipe(Trainable):
    """Trains a generator against a critic, a turn each (WGAN-GP)."""

    material: MaskGanMaterial
    options: MaskGanOptions = field(default_factory=MaskGanOptions)
    name: str = NAME
    players = MappingProxyType({CRITIC: (CRITIC,), GENERATOR: (GENERATOR,)})

    def networks(self) -> dict[str, nn.Module]:
        """Fresh networks: "generator" and "critic"."""
        dimensions = self.options.dimensions
        return {
            GENERATOR: mask_generator(self.options),
            CRITIC: MaskCritic(self.options.voxels, spatial_dims=dimensions),
        }

    def samples(self, rng: Generator) -> Iterator[dict[str, Any]]:
        """Real masks, "mask" (*S) in [0, 1]; cases alike, however many slices they have."""
        places: dict[str, list[int]] = {}
        for place, name in enumerate(self.material.names):
            places.setdefault(name, []).append(place)
        cases = list(places.values())
        while True:
            one = cases[int(rng.integers(len(cases)))]
            yield {"mask": self.material.masks[one[int(rng.integers(len(one)))]]}

    def redraw(self, sample: dict[str, Any], rng: Generator) -> dict[str, Any]:
        """Mirror, shift and stretch the mask a little, and draw the numbers that the losses need."""
        mask = _moved(sample["mask"], rng)
        asked = np.zeros(ABOUT, np.float32) if self.options.no_condition else about(mask)
        return {
            "mask": 2 * mask - 1,
            "about": asked,
            "latent": rng.standard_normal(LATENT, dtype=np.float32),
            "mix": rng.random(1, dtype=np.float32),
        }

    def loss(self, networks: Mapping[str, nn.Module], batch: Mapping[str, Tensor], turn: Turn) -> dict[str, Tensor]:
        """``D(y) - D(x) + penalty`` for the critic, ``-D(y)`` for the generator; y is made as large as x is.

        The critic is told what was asked, but in a short training it looks at shapes only: what a mask's size and side
        are can be counted, so the generator is told itself.
        """
        critic, real, asked = networks[CRITIC], batch["mask"], batch["about"]
        made = networks[GENERATOR](batch["latent"], asked)
        if turn.player == GENERATOR:
            loss = -critic(made, asked).mean()
            if self.options.no_condition:
                return {"loss": loss}
            unlike = unlike_asked(made, asked)
            return {"loss": loss + self.options.asked_weight * unlike, "unlike_asked": unlike.detach()}
        said = critic(real, asked)
        apart = (said - critic(made.detach(), asked)).mean()
        penalty = gradient_penalty(lambda mask: critic(mask, asked), real, made, batch["mix"])
        loss = -apart + self.options.penalty * penalty + DRIFT * said.square().mean()
        return {"loss": loss, "apart": apart.detach(), "penalty": penalty.detach()}

    def check(self, networks: Mapping[str, nn.Module], run: Path) -> dict[str, float]:
        """See :func:`pseudonormal.recipes.mask_gan.checking.check`."""
        return check(networks[GENERATOR], self.material, self.options, run)


def _moved(mask: NDArray[np.float32], rng: Generator) -> NDArray[np.float32]:
    if rng.random() < 0.5:
        mask = mask[..., ::-1]
    scale = np.exp(rng.normal(0, MOVED, mask.ndim))
    middle = (np.array(mask.shape) - 1) / 2
    offset = middle - scale * middle + rng.normal(0, MOVED, mask.ndim) * mask.shape[0]
    moved: NDArray[np.float32] = ndimage.affine_transform(mask, scale, offset, order=1)
    return moved
