"""What recipe ``mask-gan`` learns from: lesion masks in the frame of their brains."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pseudonormal.errors import InputError
from pseudonormal.lesions.in_place import BrainFrame
from pseudonormal.recipes.mask_gan.frame import framed
from pseudonormal.recipes.mask_gan.options import MaskGanOptions
from pseudonormal.training.streams import Streams

LEAST = 20  # voxels of lesion, as the authors have it: of less there is nothing to learn
FEWEST = 8  # masks; a generator of fewer only repeats them


@dataclass(frozen=True)
class MaskGanMaterial:
    """Masks, by the names of their cases.

    :param masks: (edge, edge, edge) each, or axial slices (edge, edge); in [0, 1].
    :param names: of the cases; a case has as many slices as show enough.
    """

    masks: list[NDArray[np.float32]]
    names: list[str]


def mask_gan_material(streams: Streams, options: MaskGanOptions) -> MaskGanMaterial:
    """Bring the masks of a split into the frame: those without an image, and the lesions drawn in scans.

    :raises InputError: a file cannot be used, or there are too few masks.
    """
    whole = [
        (case.case, framed(mask, brain, options.voxels))
        for case, mask, brain in streams.masks_in_brains()
        if not options.pool or options.pool in case.extra.get("pool", "").split()
    ]
    if not options.pool:
        whole += [
            (scan.case, framed(scan.lesion, BrainFrame.of(scan.brain), options.voxels))
            for scan in streams.drawn_scans
            if scan.lesion is not None and scan.lesion.any()
        ]
    parts = [(name, part) for name, mask in whole for part in ([mask] if options.dimensions == 3 else mask)]
    kept = [(name, part) for name, part in parts if part.sum() >= LEAST]
    cases = {name for name, _ in kept}
    if len(cases) < FEWEST:
        where = f" of pool '{options.pool}'" if options.pool else ""
        raise InputError(
            f"{len(cases)} cases of the split have a lesion mask{where} of {LEAST} voxels of the frame, too few "
            f"to learn from: list {FEWEST} at least (a mask without an image will do)"
        )
    return MaskGanMaterial([part for _, part in kept], [name for name, _ in kept])
