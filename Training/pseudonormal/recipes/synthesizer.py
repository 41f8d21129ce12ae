"""What can make annotated scans, as ``pseudonormal synthesize`` sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray

from pseudonormal.scan.scan import Geometry


@dataclass(frozen=True)
class Wanted:
    """What is asked of a run that makes scans.

    :param extent: "scan" or "slab".
    :param masks: a run that lesions are to be drawn by, if not by the recipe itself.
    """

    device: torch.device
    extent: str
    masks: Path | None = None


@dataclass(frozen=True)
class Synthetic:
    """A scan that nobody acquired; all arrays (D, H, W).

    :param image: scaled intensities.
    :param mask: its lesions.
    :param foreground: the organ.
    :param geometry: LPS mm.
    :param subject: whose scan it was made from: it stays on that subject's side of every split.
    :param contrast: as in :class:`pseudonormal.training.references.Reference`.
    :param record: what was drawn, for its provenance; JSON's types.
    :param normal: the same scan without its lesions, where the recipe knows it.
    """

    image: NDArray[np.float32]
    mask: NDArray[np.bool_]
    foreground: NDArray[np.bool_]
    geometry: Geometry
    subject: str
    contrast: str
    record: Mapping[str, Any] = field(default_factory=dict)
    normal: NDArray[np.float32] | None = None


class Synthesizer(Protocol):
    """Makes annotated scans, each by its number; can be handed to other processes (pickled)."""

    @property
    def recipe(self) -> str:
        """That it was trained by."""
        ...

    @property
    def fingerprint(self) -> str:
        """Changes with its weights, its options and the scans that it makes others from."""
        ...

    def make(self, rng: Generator) -> Synthetic:
        """One more scan; everything random is drawn from ``rng``."""
        ...
