"""What makes one scan at once and needs a minute for the next: for tests of what stops it."""

from __future__ import annotations

import time

import numpy as np

from pseudonormal.recipes.synthesizer import Synthetic
from pseudonormal.scan.scan import Geometry

SHAPE = (4, 5, 6)
GEOMETRY = Geometry(SHAPE[::-1], (2.0, 2.0, 2.0), (0.0, 0.0, 0.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))


class SlowSynthesizer:
    """Fulfils :class:`pseudonormal.recipes.synthesizer.Synthesizer`."""

    recipe, fingerprint = "slow", ""

    def __init__(self) -> None:
        self._made = 0

    def make(self, rng: np.random.Generator) -> Synthetic:
        """A scan."""
        self._made += 1
        if self._made > 1:
            time.sleep(60)
        whole = np.ones(SHAPE, bool)
        return Synthetic(rng.random(SHAPE, np.float32), whole, whole, GEOMETRY, "someone", "flair", {})
