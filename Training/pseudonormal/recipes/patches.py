"""Plan the boxes in which a restorer looks at lesions."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from pseudonormal.networks.unet import whole_edge
from pseudonormal.recipes.restore import BORDER

Box = tuple[slice, slice, slice]
EDGES = (64, 96)  # the patch sizes of training; larger lesions get the next multiple of 16


def patches(labels: NDArray[np.int32]) -> Iterator[tuple[Box, list[int]]]:
    """Boxes that show each lesion whole with normal tissue around, neighbours sharing a box.

    Every label is in exactly one box; the largest lesions choose first.

    :param labels: (D, H, W) lesion numbers from 1.
    """
    boxes = dict(enumerate(ndimage.find_objects(labels), start=1))
    left = set(boxes)
    for label in sorted(boxes, key=lambda label: -_extent(boxes[label])):
        if label not in left:
            continue
        wanted = _extent(boxes[label]) + 2 * BORDER
        edges = EDGES[1:] if len(left) > 1 else EDGES  # a large patch is cheaper than many small ones
        edge = next((edge for edge in edges if edge >= wanted), whole_edge(wanted))
        box = _around(boxes[label], edge, labels.shape)
        members = {label} | {other for other in left if _shown(boxes[other], box, labels.shape)}
        left -= members
        yield box, sorted(members)


def _extent(lesion: tuple[slice, ...]) -> int:
    return max(int(s.stop - s.start) for s in lesion)


def _around(lesion: tuple[slice, ...], edge: int, shape: tuple[int, ...]) -> Box:
    """A cube around a lesion, shifted into the scan and cut where the scan is smaller."""
    starts = [
        max(0, min((s.start + s.stop - edge) // 2, length - edge)) for s, length in zip(lesion, shape, strict=True)
    ]
    z, y, x = (slice(start, min(start + edge, length)) for start, length in zip(starts, shape, strict=True))
    return z, y, x


def _shown(lesion: tuple[slice, ...], box: Box, shape: tuple[int, ...]) -> bool:
    """Whether a box shows a lesion with its border, or up to the border of the scan."""
    return all(
        b.stop >= min(s.stop + BORDER, length) and b.start <= max(0, s.start - BORDER)
        for s, b, length in zip(lesion, box, shape, strict=True)
    )
