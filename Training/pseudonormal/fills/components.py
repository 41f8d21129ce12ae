"""Walk over the connected lesions of a scan, each in its own small box."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from pseudonormal.errors import InputError
from pseudonormal.regions import Box, bounding_box, connected


@dataclass(frozen=True)
class Component:
    """One connected lesion (26 neighbours) in a box with a margin around it.

    :param box: where the box lies in the scan's array.
    :param mask: (d, h, w) the voxels of this component.
    :param normal: (d, h, w) foreground that belongs to no lesion, neither to this one nor to another.
    """

    box: Box
    mask: NDArray[np.bool_]
    normal: NDArray[np.bool_]

    def ring(self, width_mm: float) -> NDArray[np.bool_]:
        """(d, h, w) normal tissue at most ``width_mm`` away from the component."""
        return self.normal & (ndimage.distance_transform_edt(~self.mask) <= width_mm)


def components(lesion: NDArray[np.bool_], foreground: NDArray[np.bool_], margin_mm: float) -> Iterator[Component]:
    """The connected lesions in label order.

    :param lesion: (D, H, W) on the 1 mm grid.
    :param foreground: (D, H, W) the brain.
    :param margin_mm: how far the boxes reach beyond the component; cut at the field of view.
    """
    around = bounding_box(lesion)
    if around is None:
        return
    labels, _ = connected(lesion[around])
    margin = int(np.ceil(margin_mm))
    for number, inner in enumerate(ndimage.find_objects(labels), start=1):
        spans = [
            (max(a.start + i.start - margin, 0), min(a.start + i.stop + margin, size))
            for a, i, size in zip(around, inner, lesion.shape, strict=True)
        ]
        box = slice(*spans[0]), slice(*spans[1]), slice(*spans[2])
        mask = np.zeros([axis.stop - axis.start for axis in box], bool)
        within = tuple(
            slice(a.start + i.start - b.start, a.start + i.stop - b.start)
            for a, i, b in zip(around, inner, box, strict=True)
        )
        mask[within] = labels[inner] == number
        yield Component(box, mask, foreground[box] & ~lesion[box])


def nearby_normal(
    image: NDArray[np.float32],
    lesion: NDArray[np.bool_],
    foreground: NDArray[np.bool_],
    component: Component,
    width_mm: float,
) -> NDArray[np.float32]:
    """Intensities of the ring around a component; of the whole normal foreground where there is no ring.

    :returns: (N,) values, N > 0.
    :raises InputError: when the lesions leave no foreground at all.
    """
    values = image[component.box][component.ring(width_mm)]
    if values.size == 0:
        values = image[foreground & ~lesion]
    if values.size == 0:
        raise InputError("no normal brain is left outside the lesion mask: check the mask and the brain mask")
    return values
