"""Palettes of the report's pictures, and PNG files from them."""

from __future__ import annotations

import base64
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SHADES = 251
"""Number of palette entries that carry values: an odd number, so that one of them is the middle."""
OUTLINE = 252
TICK = 253
SHAPE = 254

_MARKS = {OUTLINE: (255, 196, 0), TICK: (120, 200, 200), SHAPE: (110, 110, 110)}
# Black in the middle like the background of the scan; blue and orange stay apart for colour-blind eyes.
_DIVERGING = (
    (0.0, (190, 235, 255)),
    (0.25, (38, 130, 230)),
    (0.5, (0, 0, 0)),
    (0.75, (226, 92, 20)),
    (1.0, (255, 236, 150)),
)


def _with_marks(shades: NDArray[np.float64]) -> list[int]:
    table = np.zeros((256, 3), np.uint8)
    table[:SHADES] = np.rint(shades)
    for entry, colour in _MARKS.items():
        table[entry] = colour
    return table.ravel().tolist()


_POSITIONS = np.linspace(0.0, 1.0, SHADES)
GREY = _with_marks(np.repeat(_POSITIONS[:, None] * 255.0, 3, axis=1))
DIVERGING = _with_marks(
    np.stack([np.interp(_POSITIONS, [at for at, _ in _DIVERGING], [c[i] for _, c in _DIVERGING]) for i in range(3)], 1)
)


def shade(values: NDArray[np.floating], low: float, high: float) -> NDArray[np.uint8]:
    """Palette entries 0 to ``SHADES - 1`` for values from ``low`` to ``high``; what is not finite becomes the lowest.

    :param values: any shape, image units.
    :param low: value of the first shade.
    :param high: value of the last shade; when not above ``low`` everything gets the first.
    """
    if not high > low:
        return np.zeros(values.shape, np.uint8)
    scaled = (np.asarray(values, np.float64) - low) * ((SHADES - 1) / (high - low))
    return np.rint(np.clip(np.nan_to_num(scaled, nan=0.0), 0, SHADES - 1)).astype(np.uint8)


def png(entries: NDArray[np.uint8], palette: list[int]) -> str:
    """A palette picture as a ``data:`` address.

    :param entries: (rows, columns) palette entries.
    :param palette: 256 RGB triples, flat.
    """
    picture = Image.fromarray(np.ascontiguousarray(entries))
    picture.putpalette(palette)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=6)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def colour_bar() -> str:
    """The diverging map from its lowest to its highest value, left to right, as a ``data:`` address."""
    return png(np.tile(np.arange(SHADES, dtype=np.uint8), (8, 1)), DIVERGING)
