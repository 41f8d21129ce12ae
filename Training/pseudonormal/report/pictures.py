"""The pictures of a report: three planes of input, pseudo-normal and difference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from pseudonormal.report.colours import DIVERGING, GREY, OUTLINE, SHAPE, TICK, png, shade
from pseudonormal.report.model import FindingEntry
from pseudonormal.report.orientation import ClosestRas
from pseudonormal.scan.scan import Geometry

LONGEST = 256
"""Pixels along the longest edge of a picture."""
MARGIN_MM = 8.0
"""Air around the brain in a picture."""
CLOSE_UP_MM = 56.0
"""Edge of the close-up; findings that fill more than half of it need none."""


class Plane(NamedTuple):
    """One way to cut the (inferior-superior, posterior-anterior, left-right) view.

    :param name: as the page says it.
    :param across: the view's axis that is cut.
    :param down: the view's axis whose reverse runs down the picture.
    :param right: the view's axis whose reverse runs to the right of the picture.
    :param letters: patient directions at the top, bottom, left and right of the picture.
    """

    name: str
    across: int
    down: int
    right: int
    letters: tuple[str, str, str, str]


# Radiological convention: the patient's left is on the right of the picture.
AXIAL = Plane("Axial", 0, 1, 2, ("A", "P", "R", "L"))
CORONAL = Plane("Coronal", 1, 0, 2, ("S", "I", "R", "L"))
SAGITTAL = Plane("Sagittal", 2, 0, 1, ("S", "I", "A", "P"))


@dataclass(frozen=True)
class Picture:
    """One picture.

    :param src: ``data:`` address of a PNG.
    :param alt: what it shows, in words.
    :param width: pixels across; a pixel is as wide as high in mm.
    :param height: pixels down.
    """

    src: str
    alt: str
    width: int
    height: int


@dataclass(frozen=True)
class PictureRow:
    """One plane: its name, input, pseudo-normal and difference, and the letters at top, bottom, left, right."""

    name: str
    pictures: tuple[Picture, ...]
    letters: tuple[str, str, str, str]


class Pictures:
    """Draws the pictures of one case from views along the patient's axes.

    :param image: (D, H, W) the scan in its own units.
    :param normal: (D, H, W) its pseudo-normal, same units.
    :param difference: (D, H, W) difference map, same units.
    :param labels: (D, H, W) finding numbers, 0 elsewhere.
    :param foreground: (D, H, W) the brain.
    :param geometry: the grid of all of them.
    """

    def __init__(
        self,
        image: NDArray,
        normal: NDArray,
        difference: NDArray[np.floating],
        labels: NDArray[np.integer],
        foreground: NDArray[np.bool_],
        geometry: Geometry,
    ) -> None:
        self.ras = ClosestRas.of(geometry)
        self._shape = image.shape
        self._image, self._normal, self._difference = (self.ras.apply(part) for part in (image, normal, difference))
        self._labels, self._foreground = self.ras.apply(labels), self.ras.apply(foreground)
        self._native_labels, self._spacing_zyx = labels, np.asarray(geometry.spacing)[::-1]
        self._box = _box_with_margin(self._foreground | (self._labels > 0), self.ras.spacing)
        self.low, self.high = _window(image, foreground, labels > 0)
        self.range = _symmetric_range(difference, labels > 0)

    def of_finding(self, finding: FindingEntry) -> list[PictureRow]:
        """Three planes through a finding, and a close-up of the axial one when it is small."""
        centre = self._centre(finding)
        rows = [
            PictureRow(plane.name, self._plane(plane, centre, finding.index, self._box), plane.letters)
            for plane in (AXIAL, CORONAL, SAGITTAL)
        ]
        extent = max(
            (stop - start) * edge for (start, stop), edge in zip(finding.bounding_box, self._spacing_zyx, strict=True)
        )
        if extent <= CLOSE_UP_MM / 2:
            box = tuple(
                slice(max(int(at - CLOSE_UP_MM / 2 / edge), 0), min(int(at + CLOSE_UP_MM / 2 / edge) + 1, length))
                for at, edge, length in zip(centre, self.ras.spacing, self._labels.shape, strict=True)
            )
            rows.append(PictureRow("Close-up", self._plane(AXIAL, centre, finding.index, box), AXIAL.letters))
        return rows

    def overview(self, count: int = 12) -> list[Picture]:
        """Axial slices of the input, evenly spaced from top to bottom, for a case without findings."""
        levels = np.linspace(self._box[0].stop - 1, self._box[0].start, min(count, _length(self._box[0])) + 2)[1:-1]
        pictures = []
        for number, level in enumerate(np.unique(np.rint(levels).astype(int))[::-1], start=1):
            values = self._resampled(self._image[level], AXIAL, self._box)
            alt = f"Axial slice {number} of the input, from top to bottom"
            pictures.append(_picture(shade(values, self.low, self.high), GREY, alt))
        return pictures

    def _centre(self, finding: FindingEntry) -> tuple[int, int, int]:
        """The finding's voxel nearest to its centre: a curved lesion need not hold its own centre."""
        box = tuple(slice(start, stop) for start, stop in finding.bounding_box)
        voxels = np.argwhere(self._native_labels[box] == finding.index)
        nearest = voxels[np.argmin((((voxels - voxels.mean(axis=0)) * self._spacing_zyx) ** 2).sum(axis=1))]
        z, y, x = (int(at) + axis.start for at, axis in zip(nearest, box, strict=True))
        return self.ras.index((z, y, x), self._shape)

    def _plane(
        self, plane: Plane, centre: tuple[int, int, int], index: int, box: tuple[slice, ...]
    ) -> tuple[Picture, ...]:
        cut: list[slice | int] = [slice(None)] * 3
        cut[plane.across] = centre[plane.across]
        at = tuple(cut)
        lesion = self._resampled((self._labels[at] > 0).astype(np.float32), plane, box) > 0.5
        brain = self._resampled(self._foreground[at].astype(np.float32), plane, box) > 0.5
        outline = ndimage.binary_dilation(lesion) & ~lesion
        shown = shade(self._resampled(self._image[at], plane, box), self.low, self.high)
        restored = shade(self._resampled(self._normal[at], plane, box), self.low, self.high)
        change = shade(self._resampled(self._difference[at], plane, box), -self.range, self.range)
        shown[outline] = OUTLINE
        change[brain & ~ndimage.binary_erosion(brain, border_value=1) & ~lesion] = SHAPE
        spot = [(box[axis].stop - centre[axis] - 0.5) / _length(box[axis]) for axis in (plane.down, plane.right)]
        pictures = []
        for what, entries, palette in (
            ("input with the lesion mask outlined", shown, GREY),
            ("pseudo-normal", restored, GREY),
            ("difference", change, DIVERGING),
        ):
            if box == self._box:
                _tick(entries, spot[0], spot[1])
            pictures.append(_picture(entries, palette, f"Finding {index}, {plane.name.lower()} slice, {what}"))
        return tuple(pictures)

    def _resampled(self, values: NDArray, plane: Plane, box: tuple[slice, ...]) -> NDArray[np.float32]:
        """One slice, cut to the box, turned for display and drawn in mm with square pixels."""
        part = np.nan_to_num(values[box[plane.down], box[plane.right]][::-1, ::-1].astype(np.float32))
        edges = self.ras.spacing[plane.down], self.ras.spacing[plane.right]
        mm = part.shape[0] * edges[0], part.shape[1] * edges[1]
        pixel = max(max(mm) / LONGEST, min(*edges, 2 * max(mm) / LONGEST))
        size = max(round(mm[1] / pixel), 1), max(round(mm[0] / pixel), 1)
        if size == part.shape[::-1]:
            return part
        return np.asarray(Image.fromarray(np.ascontiguousarray(part)).resize(size, Image.Resampling.BILINEAR))


def _picture(entries: NDArray[np.uint8], palette: list[int], alt: str) -> Picture:
    return Picture(png(entries, palette), alt, entries.shape[1], entries.shape[0])


def _tick(entries: NDArray[np.uint8], down: float, right: float) -> None:
    """Mark a place by short lines at the four edges, which cover no tissue."""
    height, width = entries.shape
    row, column = min(int(down * height), height - 1), min(int(right * width), width - 1)
    entries[row, : max(width // 20, 1)] = TICK
    entries[row, width - max(width // 20, 1) :] = TICK
    entries[: max(height // 20, 1), column] = TICK
    entries[height - max(height // 20, 1) :, column] = TICK


def _length(axis: slice) -> int:
    return int(axis.stop - axis.start)


def _box_with_margin(mask: NDArray[np.bool_], spacing: tuple[float, float, float]) -> tuple[slice, ...]:
    boxes = ndimage.find_objects(np.ascontiguousarray(mask).view(np.uint8))
    if not boxes:
        return tuple(slice(0, length) for length in mask.shape)
    return tuple(
        slice(max(axis.start - round(MARGIN_MM / edge), 0), min(axis.stop + round(MARGIN_MM / edge), length))
        for axis, edge, length in zip(boxes[0], spacing, mask.shape, strict=True)
    )


def _window(image: NDArray, foreground: NDArray[np.bool_], lesion: NDArray[np.bool_]) -> tuple[float, float]:
    """Grey window: the brain without lesions from its 0.5th to its 99.5th percentile, widened to show the lesion."""
    tissue = image[foreground & ~lesion] if (foreground & ~lesion).any() else image.ravel()
    tissue = tissue[np.isfinite(tissue)]
    if tissue.size == 0:
        return 0.0, 1.0
    low, high = np.percentile(tissue[:: max(tissue.size // 200_000, 1)], [0.5, 99.5])
    diseased = image[lesion]
    diseased = diseased[np.isfinite(diseased)]
    if diseased.size:
        low, high = min(low, np.percentile(diseased, 5)), max(high, np.percentile(diseased, 95))
    return float(low), float(high)


def _symmetric_range(difference: NDArray[np.floating], lesion: NDArray[np.bool_]) -> float:
    """The largest difference of the colour bar: the 99th percentile of its size in the lesions."""
    values = np.abs(difference[lesion])
    values = values[np.isfinite(values)]
    return float(np.percentile(values, 99)) if values.size and values.max() > 0 else 1.0
