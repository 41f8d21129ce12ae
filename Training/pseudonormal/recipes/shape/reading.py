"""From a list of cases to the material of recipe ``shape``, with a clear word about masks that cannot be used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pseudonormal.cases import Case
from pseudonormal.errors import InputError
from pseudonormal.intensity import scale_from
from pseudonormal.lesions.ellipses import Ellipses
from pseudonormal.lesions.source import LesionSource
from pseudonormal.recipes.shape.frame import Frame
from pseudonormal.recipes.shape.masks import KnownMasks, MaskSource, SimulatedLesions
from pseudonormal.recipes.shape.material import Framed, ShapeMaterial
from pseudonormal.recipes.shape.options import ShapeOptions
from pseudonormal.scan.conform import Conformed, conform, mask_to_model, to_native
from pseudonormal.scan.reading import read_mask, read_scan
from pseudonormal.scan.scan import Scan
from pseudonormal.training.streams import FindForeground, Streams

AIR = 0.08  # scaled intensity below which a voxel of a whole head is air
HELD_OUT_SHARE = 5  # where nothing is in split validation, every fifth scan is kept aside
LEAST_VOXELS = 12  # of the frame, that a mask must fill
MOST_BEYOND = 0.02  # share of a mask that may lie beyond the frame
UNLIKE = 30.0  # times the median volume from which masks are not of one kind of object


def shape_material(streams: Streams, options: ShapeOptions) -> ShapeMaterial:
    """The scans and auxiliary masks of a split; truth that the cases know is kept to judge, never to learn from.

    :raises InputError: no scan or no mask, a mask that is empty, of the wrong dimension, or does not fit the frame.
    """
    cases, kept_aside = kept_apart(streams)
    # masks first: what is wrong with them is told before minutes are spent on scans
    masks = known_masks(streams.cases, options) if options.source == "masks" else None
    scans, held_out = ([_framed(case, options, streams) for case in some] for some in (cases, kept_aside))
    return ShapeMaterial(scans, masks or _model(streams, options, scans), held_out)


def kept_apart(streams: Streams) -> tuple[list[Case], list[Case]]:
    """The cases with a scan: those to learn from, and those to estimate on (every fifth where the list has none).

    :raises InputError: there is none to learn from.
    """
    cases = [case for case in streams.cases if case.image is not None]
    if not cases:
        raise InputError("no case of the split has an image: add the scans that are to get masks")
    kept_aside = [case for case in streams.kept_aside if case.image is not None]
    if not kept_aside and len(cases) > 1:
        kept_aside = cases[HELD_OUT_SHARE - 1 :: HELD_OUT_SHARE] or cases[-1:]
        cases = [case for case in cases if case not in kept_aside]
    return cases, kept_aside


@dataclass(frozen=True)
class Opened:
    """A scan on its model grid, scaled; all (D, H, W).

    :param image: float32, 0 to 1 is most of it.
    :param region: what of it counts: the brain, or what is not air.
    :param truth: its mask, where the case knows it.
    :param frame: as the options have it.
    """

    case: Case
    image: NDArray[np.float32]
    region: NDArray[np.bool_]
    truth: NDArray[np.bool_] | None
    conformed: Conformed
    frame: Frame

    def in_frame(self, frame: Frame) -> Framed:
        """As this frame shows it.

        :raises InputError: nothing of it is shown.
        """
        shown = frame.mask(self.region)
        if not shown.any():
            raise InputError(f"{self.case.image}: nothing of it lies in the frame: raise voxel_mm")
        truth = None if self.truth is None else frame.mask(self.truth)
        return Framed(self.case.case, frame.image(self.image), shown, truth, frame)

    def on_own_grid(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Values of the model grid on the scan's own voxels."""
        return to_native(values, self.conformed).astype(np.float32)


def opened(case: Case, options: ShapeOptions, foreground_of: FindForeground) -> Opened:
    """Read a case's scan.

    :raises InputError: a file cannot be used, or nothing is in it.
    """
    assert case.image is not None
    scan = read_scan(case.image)
    conformed = conform(scan)
    image = conformed.image
    try:
        if options.region == "brain":
            region = _foreground(case, scan, conformed, foreground_of)
            image = np.where(region, scale_from(image, region).apply(image), 0)
        else:
            image = scale_from(image, np.ones(image.shape, bool)).apply(image)
            region = image > AIR
    except InputError as error:
        raise error if str(case.image) in str(error) else InputError(f"{case.image}: {error}") from error
    truth = None
    if case.mask is not None:
        truth = mask_to_model(read_mask(case.mask, scan)[0], conformed)
    elif case.kind == "normal":
        truth = np.zeros(image.shape, bool)
    around = region if options.region == "brain" else np.zeros_like(region)
    frame = Frame.around(around, options.edge, options.voxel_mm)
    return Opened(case, np.clip(image, 0, 1.2).astype(np.float32), region, truth, conformed, frame)


def known_masks(cases: Sequence[Case], options: ShapeOptions) -> MaskSource:
    """The masks without a scan, in the frame: centred as their own brain (column foreground) or array is.

    :raises InputError: there is none, or one that cannot be used.
    """
    given = [case for case in cases if case.kind == "shape"]
    if not given:
        raise InputError(
            "no case of the split is a mask without an image: add masks of other subjects, or take a shape model by "
            "--set source=ellipses, or --set source=lesions"
        )
    masks, volumes = [], []
    for case in given:
        mask, voxels_ml = _known_mask(case, options)
        masks.append(mask)
        volumes.append(voxels_ml)
    middle = float(np.median(volumes))
    for case, volume in zip(given, volumes, strict=True):
        if not middle / UNLIKE <= volume <= middle * UNLIKE:
            raise InputError(
                f"{case.mask}: marks {volume:.3g} ml where the other masks mark about {middle:.3g}: give masks of one "
                "kind of object, in mm"
            )
    if options.dimensions == 3:
        return KnownMasks(masks)
    # the slice next to an object's end tells little of its shape
    return KnownMasks([part for mask in masks for part in mask if part.sum() >= LEAST_VOXELS])


def sized_source(options: ShapeOptions) -> MaskSource | None:
    """Ellipses, which say how large the objects are; None where others' masks or simulated lesions are taken.

    The size of simulated lesions is a guess. Other subjects' masks would tell, but where all that is wrong with labels
    is in places it does harm to move whole outlines (measured on brains).
    """
    return _ellipses(options) if options.source == "ellipses" else None


def placed_source(cases: Sequence[Case], options: ShapeOptions) -> MaskSource | None:
    """The masks without a scan, for where they lie; None where the list has none, or a shape model was taken.

    In 2D they are slices of any level, which lie too differently to tell anything of one.

    :raises InputError: one cannot be used.
    """
    there_are = options.source == "masks" and options.dimensions == 3 and any(case.kind == "shape" for case in cases)
    return known_masks(cases, options) if there_are else None


def _known_mask(case: Case, options: ShapeOptions) -> tuple[NDArray[np.bool_], float]:
    """A mask in the frame and its volume in ml."""
    assert case.mask is not None
    scan = read_scan(case.mask)
    conformed = conform(scan)
    marked = scan.array > 0
    if not marked.any():
        raise InputError(f"{case.mask}: marks nothing: take it out of the list, or give the mask that was meant")
    mask = mask_to_model(marked, conformed)
    around = np.zeros_like(mask)
    if options.region == "brain" and case.foreground is not None:
        around = mask_to_model(read_mask(case.foreground, scan)[0], conformed)
    frame = Frame.around(around, options.edge, options.voxel_mm)
    shown = frame.mask(mask)
    if _beyond(mask, frame) > MOST_BEYOND:
        raise InputError(
            f"{case.mask}: reaches beyond the frame of {options.edge * options.voxel_mm:g} mm: raise voxel_mm, or name "
            "its brain in the column foreground"
        )
    if shown.sum() < LEAST_VOXELS:
        raise InputError(
            f"{case.mask}: is {int(shown.sum())} voxels of {options.voxel_mm:g} mm in the frame, too few to have a "
            "shape: lower voxel_mm"
        )
    return shown, mask.sum() * 1e-3


def _beyond(mask: NDArray[np.bool_], frame: Frame) -> float:
    """Share of a mask of the model grid that the frame does not show."""
    points = np.argwhere(mask)
    half = np.array(frame.shape) * frame.voxel_mm / 2
    return float((np.abs(points - np.array(frame.centre)) > half).any(1).mean())


def _model(streams: Streams, options: ShapeOptions, scans: Sequence[Framed]) -> MaskSource:
    """Ellipses, or lesions simulated in the scans' brains."""
    if options.source == "ellipses":
        return _ellipses(options)
    volume = options.lesion_ml, options.lesion_ml_high
    return SimulatedLesions(LesionSource(streams.shapes), [scan.region for scan in scans], volume, options.voxel_mm)


def _ellipses(options: ShapeOptions) -> Ellipses:
    return Ellipses((options.radius_low, options.radius_high), (1.0, options.elongation), options.off_centre)


def _framed(case: Case, options: ShapeOptions, streams: Streams) -> Framed:
    scan = opened(case, options, streams.foreground_of)
    return scan.in_frame(scan.frame)


def _foreground(case: Case, scan: Scan, conformed: Conformed, foreground_of: FindForeground) -> NDArray[np.bool_]:
    if case.foreground is None:
        return foreground_of(conformed.image)
    return mask_to_model(read_mask(case.foreground, scan)[0], conformed)
