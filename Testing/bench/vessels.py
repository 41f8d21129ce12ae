"""Vessels and lesions after contrast agent: ``.venv/bin/python -m Testing.bench.vessels LABELS.nii.gz ...``.

Heads are painted from label maps (FreeSurfer numbers, 1 mm) that no network has seen: T1-weighted, with contrast agent
in sinuses, dura, plexus and vessels, and with simulated lesions. Printed are the regions that the shipped model finds,
and those that are taken for vessels.
"""

from __future__ import annotations

import sys

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import ndimage

from pseudonormal.cases import Case
from pseudonormal.lesions.confounders import paint_agent, paint_vessels
from pseudonormal.lesions.shapes import SmoothBlob
from pseudonormal.lesions.source import LesionSource
from pseudonormal.models.bundle import load_model
from pseudonormal.painting.contrast import draw_contrast
from pseudonormal.painting.drainage import drainage
from pseudonormal.painting.render import render
from pseudonormal.recipes.detection import lesion_mask, lesions_and_vessels
from pseudonormal.recipes.lesion import network_input
from pseudonormal.regions import connected
from pseudonormal.training.anatomies import Anatomy, read_anatomy

SEEDS = 4
VOLUMES_ML = (0.1, 0.3, 0.6, 1.0, 2.0, 6.0)
FAMILIES = ("additive_bright", "opaque", "rim", "textured")
SPAN_Z = 9.0
VESSELS = 4  # calls, each of which draws up to 16


def painted(anatomy: Anatomy, loose: int, rng: Generator) -> tuple[NDArray[np.float32], NDArray[np.bool_], NDArray]:
    """A head in robust z, its brain cut out more or less loosely, and the lesions in it."""
    brain = ndimage.binary_dilation(anatomy.brain, iterations=loose)
    z = network_input(render(anatomy.groups, draw_contrast(rng, "t1"), rng), brain)
    z = paint_agent(z, brain, drainage(anatomy.labels), rng)
    for _ in range(VESSELS):
        z = paint_vessels(z, brain, rng, bright=True)
    image, lesions = z / SPAN_Z + 0.5, np.zeros(brain.shape, bool)
    source = LesionSource([SmoothBlob()])
    for volume in VOLUMES_ML:
        place = source.place(anatomy.brain & ~lesions, rng, volume_ml=(volume, 1.3 * volume))
        if place is not None:
            with_lesion = source.paint(image, place, str(rng.choice(FAMILIES)), rng)
            image, lesions = with_lesion.image, lesions | (with_lesion.opacity > 0.5)
    return ((image - 0.5) * SPAN_Z).astype(np.float32), brain, lesions


def main() -> None:
    model = load_model("brain-mr")
    rows = []
    for number, path in enumerate(sys.argv[1:]):
        anatomy = read_anatomy(Case(path, path, "test", extra={"labels": path}))
        for seed in range(SEEDS):
            image, brain, lesions = painted(anatomy, 1 + seed, np.random.default_rng([number, seed]))
            probability, vessels = lesions_and_vessels(image, brain, model)
            labels, count = connected(lesion_mask(probability, model.calibration) | vessels)
            regions = (labels == one for one in range(1, count + 1))
            rows.extend((one.sum() / 1000, lesions[one].mean() >= 0.5, vessels[one].any()) for one in regions)
    volume, is_lesion, taken = (np.array(column) for column in zip(*rows, strict=True))
    sys.stdout.write(f"lesions: {is_lesion.sum()} found, {(is_lesion & taken).sum()} of them taken for vessels\n")
    found, dropped = volume[~is_lesion], volume[~is_lesion & taken]
    sys.stdout.write(f"else: {found.sum():.1f} ml found, {dropped.sum():.1f} ml of it taken for vessels\n")


if __name__ == "__main__":
    main()
