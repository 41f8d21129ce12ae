"""A parametric shape model: ellipses and ellipsoids, for organs and lesions that are roundish."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from pseudonormal.errors import InputError


@dataclass(frozen=True)
class Ellipses:
    """Draws filled ellipses (2D) or ellipsoids (3D) in a square or cubic frame; ranges are drawn from uniformly.

    :param radius: mean semi-axis, as a share of the frame's edge.
    :param elongation: longest to shortest semi-axis.
    :param off_centre: farthest that the centre lies from the frame's, along each axis, as a share of the edge.
    """

    moves: ClassVar[bool] = False

    radius: tuple[float, float] = (0.18, 0.32)
    elongation: tuple[float, float] = (1.0, 1.6)
    off_centre: float = 0.15

    def __post_init__(self) -> None:
        """Refuse ranges that cannot be meant.

        :raises InputError: naming the range.
        """
        low, high = self.radius
        if not 0 < low <= high <= 0.5:
            raise InputError(f"radius {low:g} to {high:g}: must be shares of the frame, from above 0 up to 0.5")
        low, high = self.elongation
        if not 1 <= low <= high:
            raise InputError(f"elongation {low:g} to {high:g}: must be at least 1, the first not above the second")
        if not 0 <= self.off_centre <= 0.5:
            raise InputError(f"off_centre {self.off_centre:g}: must be a share of the frame, from 0 to 0.5")

    def draw(self, shape: tuple[int, ...], rng: Generator) -> NDArray[np.bool_]:
        """Draw one mask.

        :param shape: (H, W) or (D, H, W), all edges alike.
        """
        dimensions, edge = len(shape), shape[0]
        stretch = np.sqrt(rng.uniform(*self.elongation))
        ratios = np.exp(np.linspace(-1, 1, dimensions) * np.log(stretch))
        semi = edge * rng.uniform(*self.radius) * ratios / np.prod(ratios) ** (1 / dimensions)
        centre = (edge - 1) / 2 + edge * rng.uniform(-self.off_centre, self.off_centre, dimensions)
        if dimensions == 2:
            angle = rng.uniform(0, np.pi)
            turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        else:
            turn = Rotation.random(random_state=rng).as_matrix()
        points = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), -1) - centre
        inside: NDArray[np.bool_] = ((points @ turn / semi) ** 2).sum(-1) <= 1
        return inside
