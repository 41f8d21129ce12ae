"""Who takes part in a comparison, and how each is asked to restore without doing the same work twice."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation

from pseudonormal.evaluate.metrics import box_around
from pseudonormal.evaluate.rows import digest
from pseudonormal.recipes.restoration import Restorer

CROP_MARGIN = 48  # voxels (1 mm); farther tissue does not reach a local fill
# Fills that look only at tissue near the lesion. Mirror and template need the whole head.
LOCAL_FILLS = frozenset({"identity", "ring_mean", "gaussian_ring", "normalised_convolution", "biharmonic"})
IDENTITY = "identity"


def grown(mask: NDArray[np.bool_], voxels: int, foreground: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The mask (D, H, W) and the foreground within ``voxels`` of it.

    People draw a lesion's outline at half its contrast, so its faint rim lies outside; fills that continue the
    surrounding would continue the rim.
    """
    if voxels == 0:
        return mask
    return np.asarray(mask | (binary_dilation(mask, iterations=voxels) & foreground), bool)


@dataclass(frozen=True)
class Entrant:
    """A restorer in a comparison.

    :param restorer: what restores.
    :param classical: a baseline without a network, against which learnt restorers are measured.
    :param local: its result depends only on tissue within ``CROP_MARGIN`` of the lesion.
    :param blind: its result does not depend on the lesion's own intensities.
    :param fingerprint: changes when the restorer does (say, with its weights).
    :param trained_families: lesion families it was trained on; None when not known.
    """

    restorer: Restorer
    classical: bool
    local: bool = False
    blind: bool = False
    fingerprint: str = ""
    trained_families: frozenset[str] | None = None

    @property
    def name(self) -> str:
        """The restorer's name."""
        return self.restorer.name

    def seen(self, family: str) -> bool | None:
        """Whether a lesion family was trained on; None when not known or nothing was trained."""
        return None if self.trained_families is None else family in self.trained_families


def classical_entrant(restorer: Restorer) -> Entrant:
    """A classical fill; all but identity leave the lesion's own intensities out of account."""
    return Entrant(restorer, True, local=restorer.name in LOCAL_FILLS, blind=restorer.name != IDENTITY)


def learnt_entrant(restorer: Restorer) -> Entrant:
    """A learnt restorer.

    Optional attributes tell more about it: ``fingerprint`` (str), ``trained_families`` (names) and ``ignores_lesion``
    (bool, true of void restorers).
    """
    families: Iterable[str] | None = getattr(restorer, "trained_families", None)
    return Entrant(
        restorer,
        False,
        blind=bool(getattr(restorer, "ignores_lesion", False)),
        fingerprint=str(getattr(restorer, "fingerprint", "")),
        trained_families=None if families is None else frozenset(families),
    )


class Bench:
    """Asks entrants to restore; results of blind ones are kept for lesions that differ only inside the mask.

    ``asked`` counts the restorations that were asked for, kept ones included.
    """

    def __init__(self) -> None:
        """Begin with nothing kept."""
        self.asked = 0
        self._kept: dict[str, tuple[NDArray[np.float32], float]] = {}

    def restore(
        self,
        entrant: Entrant,
        image: NDArray[np.float32],
        lesion: NDArray[np.bool_],
        foreground: NDArray[np.bool_],
    ) -> tuple[NDArray[np.float32], float]:
        """Restore the lesion.

        :param image: (D, H, W) scaled intensities.
        :returns: (restored image (D, H, W), seconds it took).
        """
        self.asked += 1
        if not entrant.blind:
            return _timed(entrant, image, lesion, foreground)
        surrounding = digest(entrant.name, entrant.fingerprint, np.where(lesion, np.float32(0), image), lesion)
        if surrounding not in self._kept:
            normal, seconds = _timed(entrant, image, lesion, foreground)
            if not np.array_equal(normal[~lesion], image[~lesion]):  # a fault that has to show, so nothing is kept
                return normal, seconds
            self._kept[surrounding] = (normal[lesion], seconds)
        inside, seconds = self._kept[surrounding]
        output = image.copy()
        output[lesion] = inside
        return output, seconds


def _timed(
    entrant: Entrant, image: NDArray[np.float32], lesion: NDArray[np.bool_], foreground: NDArray[np.bool_]
) -> tuple[NDArray[np.float32], float]:
    started = time.perf_counter()
    if not entrant.local:
        return entrant.restorer.restore(image, lesion, foreground).normal, time.perf_counter() - started
    box = box_around(lesion, CROP_MARGIN)
    part = entrant.restorer.restore(image[box].copy(), lesion[box].copy(), foreground[box].copy()).normal
    output = image.copy()
    output[box] = part
    return output, time.perf_counter() - started
