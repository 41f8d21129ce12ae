"""A picture of what was found, for those who watch a training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from pseudonormal.scan.atomic import atomic_file

SHOWN = 8
LINE = (255, 160, 0)


def write_example(path: Path, pictures: Sequence[NDArray[np.float32]], masks: Sequence[NDArray[np.bool_]]) -> None:
    """Some pictures side by side with the outline of what was found; of a volume its middle slice. PNG.

    :param pictures: (*S) each, 0 to 1 is most of it.
    """
    chosen = np.linspace(0, len(pictures) - 1, min(SHOWN, len(pictures))).round().astype(int)
    panels = [_panel(_flat(pictures[n]), _flat(masks[n])) for n in chosen]
    with atomic_file(path) as stream:
        Image.fromarray(np.concatenate(panels, 1)).save(stream, "PNG")


def _flat(array: NDArray) -> NDArray:
    """An axial slice, anterior up."""
    plane = array if array.ndim == 2 else array[array.shape[0] // 2]
    return plane[::-1]


def _panel(picture: NDArray[np.float32], mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    twice = (2, 2)
    grey = np.kron(np.clip(picture, 0, 1) * 255, np.ones(twice)).astype(np.uint8)
    outline = np.kron(mask, np.ones(twice)).astype(bool)
    outline &= ~ndimage.binary_erosion(outline)
    colours = np.repeat(grey[..., None], 3, 2)
    colours[outline] = LINE
    return colours
