"""The classical fills as recipes: no network, no training, in every table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pseudonormal.fills.biharmonic import biharmonic_fill
from pseudonormal.fills.gaussian_ring import gaussian_ring_fill
from pseudonormal.fills.identity import identity_fill
from pseudonormal.fills.mirror import mirror_fill
from pseudonormal.fills.normalised_convolution import normalised_convolution_fill
from pseudonormal.fills.ring_mean import ring_mean_fill
from pseudonormal.fills.template import template_fill
from pseudonormal.recipes.restoration import Restoration

Fill = Callable[[NDArray[np.float32], NDArray[np.bool_], NDArray[np.bool_]], NDArray[np.float32]]


@dataclass(frozen=True)
class Classical:
    """A :class:`~pseudonormal.recipes.restoration.Restorer` made of one plain function.

    :param name: as in tables and on the command line.
    :param description: one line for people.
    :param fill: ``fill(image, lesion, foreground) -> image``, all (D, H, W) on the model grid.
    """

    name: str
    description: str
    fill: Fill

    def restore(
        self, image: NDArray[np.float32], lesion: NDArray[np.bool_], foreground: NDArray[np.bool_]
    ) -> Restoration:
        """Fill the lesion; see the protocol for shapes and frame.

        :raises InputError: when the lesions leave no foreground at all.
        """
        return Restoration(normal=self.fill(image, lesion, foreground))


CLASSICAL: dict[str, Classical] = {
    recipe.name: recipe
    for recipe in (
        Classical("identity", "the scan as it is", identity_fill),
        Classical("ring_mean", "mean of the tissue around each lesion", ring_mean_fill),
        Classical("gaussian_ring", "noise with mean and spread of the tissue around each lesion", gaussian_ring_fill),
        Classical("normalised_convolution", "Gaussian-weighted mean of the tissue near", normalised_convolution_fill),
        Classical("biharmonic", "the smoothest surface that continues the tissue around", biharmonic_fill),
        Classical("mirror", "the other half of the brain, matched to the tissue around", mirror_fill),
        Classical("template", "a mean normal brain, matched to the tissue around", template_fill),
    )
}
