"""The scans that seed masks are made for."""

from __future__ import annotations

from collections.abc import Sequence

from pseudonormal.cases import Case
from pseudonormal.recipes.shape.masks import KnownMasks
from pseudonormal.recipes.shape.material import Framed, ShapeMaterial
from pseudonormal.recipes.shape.options import ShapeOptions
from pseudonormal.recipes.shape.reading import kept_apart, opened, placed_source, sized_source
from pseudonormal.training.streams import Streams

LEAST_FINER = 0.8  # of the frame's voxels: with hardly smaller ones nothing is to be gained


def seeding_material(streams: Streams, options: ShapeOptions, fine_mm: float) -> tuple[ShapeMaterial, list[Case]]:
    """The scans in the frame and, where ``fine_mm`` is smaller than its voxels, in a finer one.

    :returns: the material, which draws no auxiliary masks but asks those of the list where they lie; and the cases:
        those of ``scans``, then of ``held_out``.
    :raises InputError: a scan cannot be used.
    """
    cases, kept_aside = kept_apart(streams)
    placed = placed_source(streams.cases, options)
    finer = fine_mm <= LEAST_FINER * options.voxel_mm
    coarse: list[Framed] = []
    fine: list[Framed] = []
    for case in (*cases, *kept_aside):
        scan = opened(case, options, streams.foreground_of)
        coarse.append(scan.in_frame(scan.frame))
        if finer:
            fine.append(scan.in_frame(scan.frame.finer(fine_mm)))
    count = len(cases)
    material = ShapeMaterial(
        coarse[:count], KnownMasks([]), coarse[count:], fine[:count], fine[count:], sized_source(options), placed
    )
    return material, [*cases, *kept_aside]


def taught(cases: Sequence[Case]) -> list[int]:
    """Places of the cases that get a seed mask: those of which nobody knows one."""
    return [place for place, case in enumerate(cases) if case.kind == "unlabelled"]
