"""Where auxiliary masks come from: other subjects' masks, a shape model, or simulated lesions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal, Protocol

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial.transform import Rotation

from pseudonormal.lesions.source import LesionSource

TURN_DEGREES = 8.0
ZOOM = 0.08  # logarithm
SHIFT = 0.03  # share of the edge


class MaskSource(Protocol):
    """Draws auxiliary masks in the frame.

    ``moves`` says whether each is moved by :func:`small_move` first, as there are few. Pictures must then be moved too:
    judges would tell masks that a generator made by how straight they lie.
    """

    moves: ClassVar[bool]

    def draw(self, shape: tuple[int, ...], rng: Generator) -> NDArray[np.bool_]:
        """Draw one.

        :param shape: of the frame, (H, W) or (D, H, W).
        """
        ...


class KnownMasks:
    """Masks of other subjects, each a little turned, scaled and shifted at every draw."""

    moves: ClassVar[bool] = True

    def __init__(self, masks: Sequence[NDArray[np.bool_]]) -> None:
        """Take masks of the frame's shape; at least one, where any is to be drawn."""
        self._masks = list(masks)

    def draw(self, shape: tuple[int, ...], rng: Generator) -> NDArray[np.bool_]:
        """See :class:`MaskSource`."""
        mask = self._masks[int(rng.integers(len(self._masks)))]
        return small_move(shape, rng)(mask.astype(np.float32), "constant") >= 0.5


class SimulatedLesions:
    """Lesions as :class:`LesionSource` would put them into the scans' brains; in 2D an axial slice of one."""

    moves: ClassVar[bool] = False

    def __init__(
        self, source: LesionSource, brains: Sequence[NDArray[np.bool_]], volume_ml: tuple[float, float], voxel_mm: float
    ) -> None:
        """Take brains in the cubic frame."""
        self._source, self._brains = source, list(brains)
        # the source takes every voxel for 1 mm
        self._volume = volume_ml[0] / voxel_mm**3, volume_ml[1] / voxel_mm**3

    def draw(self, shape: tuple[int, ...], rng: Generator) -> NDArray[np.bool_]:
        """See :class:`MaskSource`; empty where no place was found."""
        brain = self._brains[int(rng.integers(len(self._brains)))]
        place = self._source.place(brain, rng, volume_ml=self._volume)
        mask = np.zeros(brain.shape, bool)
        if place is not None:
            mask[place.box] = place.opacity > 0  # what the wanted volume is counted by
        if len(shape) == 3:
            return mask
        shown = np.flatnonzero(mask.any(axis=(1, 2)))
        return mask[int(rng.choice(shown)) if shown.size else 0]


def some_of(source: MaskSource, shape: tuple[int, ...], count: int) -> list[NDArray[np.bool_]]:
    """Auxiliary masks to look at, always the same."""
    rng = np.random.default_rng(0)
    return [source.draw(shape, rng) for _ in range(count)]


class SmallMove:
    """Turns, scales and shifts arrays about their middle, all alike."""

    def __init__(self, turn: NDArray[np.float64], offset: NDArray[np.float64]) -> None:
        """Take what maps places in what comes out to places in what goes in, in voxels."""
        self._turn, self._offset = turn, offset

    def __call__(
        self, array: NDArray[np.float32], beyond: Literal["nearest", "constant"] = "nearest"
    ) -> NDArray[np.float32]:
        """Move an array, interpolated linearly.

        :param beyond: what lies beyond the array is as what is nearest to it, or 0.
        """
        moved: NDArray[np.float32] = ndimage.affine_transform(array, self._turn, self._offset, order=1, mode=beyond)
        return moved


def small_move(shape: tuple[int, ...], rng: Generator) -> SmallMove:
    """A small turn, zoom and shift of arrays of this shape."""
    turn = _turn(len(shape), rng) / np.exp(rng.normal(0, ZOOM))
    middle = (np.array(shape) - 1) / 2
    return SmallMove(turn, middle - turn @ (middle + shape[-1] * rng.normal(0, SHIFT, len(shape))))


def _turn(dimensions: int, rng: Generator) -> NDArray[np.float64]:
    if dimensions == 3:
        return Rotation.from_euler("zyx", rng.normal(0, TURN_DEGREES, 3), degrees=True).as_matrix()
    angle = np.deg2rad(rng.normal(0, TURN_DEGREES))
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
