"""Who finds the brain in a lab's scans while a training reads them."""

from __future__ import annotations

import threading

import numpy as np
from numpy.typing import NDArray

from pseudonormal.models.bundle import Model
from pseudonormal.recipes.foreground import find_brain
from pseudonormal.training.interrupt import Stopped
from pseudonormal.training.references import FindForeground


def brain_finder(model: Model, stop: threading.Event) -> FindForeground:
    """A model's; reading many scans takes minutes, so between any two of them it looks whether to stop."""

    def found(image: NDArray[np.float32]) -> NDArray[np.bool_]:
        if stop.is_set():
            raise Stopped
        return find_brain(image, model)

    return found
