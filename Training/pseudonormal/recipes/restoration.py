"""What restores a lesion: the interface that classical fills and networks share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Restoration:
    """A scan without its lesions, on the model grid.

    :param normal: (D, H, W) float32, scaled intensities (see ``intensity.py``); equals the input outside the lesion.
    :param expected_error: (D, H, W) float32, the expected absolute error per voxel in scaled intensities (0 outside
        the lesion); None when the method has no idea of its own error.
    :param modes: for each connected lesion component, in label order, the mode that was used ("void" or "guided").
    """

    normal: NDArray[np.float32]
    expected_error: NDArray[np.float32] | None = None
    modes: tuple[str, ...] = field(default=())


class Restorer(Protocol):
    """Anything that removes lesions from a scan on the model grid (RAS axes, 1 mm, scaled intensities)."""

    @property
    def name(self) -> str:
        """As in tables and on the command line."""
        ...

    def restore(
        self, image: NDArray[np.float32], lesion: NDArray[np.bool_], foreground: NDArray[np.bool_]
    ) -> Restoration:
        """Replace the lesion's voxels by what normal tissue would look like.

        :param image: (D, H, W) = (inferior to superior, posterior to anterior, left to right), scaled intensities.
        :param lesion: (D, H, W) voxels to replace; never changed elsewhere.
        :param foreground: (D, H, W) the brain, lesions included.
        """
        ...
