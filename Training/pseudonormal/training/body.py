"""CT: what shows the body, and which Hounsfield units are worth showing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from pseudonormal.errors import InputError
from pseudonormal.intensity import IntensityScale
from pseudonormal.regions import largest

CT = "ct"
ABDOMEN = (-160.0, 240.0)  # HU; the usual soft-tissue window
SKIN_HU = -300.0
TABLE = 3  # voxels: what holds the table to the body is thinner


def window_scale(text: str) -> IntensityScale:
    """The scale of a CT window: its lower end becomes 0, its upper end 1.

    :param text: "LOW HIGH" in HU; empty: the soft-tissue window.
    :raises InputError: it is no window.
    """
    try:
        low, high = (float(word) for word in text.split()) if text else ABDOMEN
    except ValueError:
        low, high = 0.0, 0.0
    if not (np.isfinite([low, high]).all() and low < high):
        raise InputError(f"window '{text}': write the lower and the upper end in HU, for instance -160 240")
    return IntensityScale(low, high)


def find_body(image: NDArray[np.float32]) -> NDArray[np.bool_]:
    """The body in a CT, air inside it included, the table left out.

    :param image: (D, H, W) HU on the model grid.
    :raises InputError: nothing is as dense as a body.
    """
    dense = image > SKIN_HU
    body = largest(ndimage.binary_opening(dense, np.ones((1, 3, 3), bool), iterations=TABLE))
    if not body.any():
        raise InputError("no body was found: check that the values are Hounsfield units, or name a foreground")
    return np.stack([ndimage.binary_fill_holes(level) for level in body])
