"""What can be chosen in a training of recipe ``mask-gan``."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pseudonormal.training.ranges import check_options

NAME = "mask-gan"
GENERATOR, CRITIC = "generator", "critic"
EDGE = {2: 96, 3: 40}  # voxels; what a frame has when none is asked for


@dataclass(frozen=True)
class MaskGanOptions:
    """The frame, what a mask can be asked to be like, and the critic's penalty.

    :param dimensions: 3, or 2 for axial slices.
    :param edge: of the frame in voxels, a multiple of 8; 0: 40 in 3D (about 4.5 mm), 96 in 2D (2 mm).
    :param pool: learn from the masks of this pool only (column ``pool``); empty: from all.
    :param no_condition: masks cannot be asked to be of a size and on a side.
    :param penalty: weight of the gradient penalty.
    :param asked_weight: masks are as large, and on the side, as they were asked to be.
    :param width: maps of the generator's finest level.
    """

    dimensions: int = 3
    edge: int = 0
    pool: str = ""
    no_condition: bool = False
    penalty: float = 10.0
    asked_weight: float = 30.0
    width: int = 8

    def __post_init__(self) -> None:
        """Refuse what cannot be meant.

        :raises InputError: naming the option and what it may be.
        """
        penal = self.penalty > 0 and math.isfinite(self.penalty)
        edge = not self.edge or (self.edge % 8 == 0 and self.edge >= 32)
        check_options(
            self,
            {
                "dimensions": (self.dimensions in EDGE, "2 or 3"),
                "edge": (edge, "a multiple of 8, 32 at least; 0: the usual one"),
                "width": (self.width >= 4, "at least 4"),
                "penalty": (penal, "above 0; without it this is no Wasserstein GAN"),
            },
        )

    @property
    def voxels(self) -> int:
        """Edge of the frame."""
        return self.edge or EDGE[self.dimensions]
