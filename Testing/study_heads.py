"""Small painted heads that studies learn from and are judged on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy import ndimage

from pseudonormal.lesions.in_place import BrainFrame, InPlace
from pseudonormal.lesions.shapes import SmoothBlob
from pseudonormal.painting.tissues import GROUPS
from pseudonormal.study.material import StudyMaterial
from pseudonormal.study.painting import Disease, paint
from pseudonormal.study.runner import SETTINGS, Runner
from pseudonormal.training.anatomies import Anatomy

SHAPE = (20, 44, 40)
SPOTS = np.zeros((40, 88, 80), bool)
SPOTS[18:23, 30:36, 20:26] = SPOTS[18:24, 50:55, 54:60] = True
FRAME = BrainFrame(np.array([20.0, 44.0, 40.0]), np.array([8.0, 17.0, 15.0]))
DISEASE = Disease([SmoothBlob()], InPlace([(SPOTS, FRAME)]))


def a_ball() -> Anatomy:
    """A ball: cortex around white matter around a ventricle, in air."""
    z, y, x = np.indices(SHAPE)
    distance = np.sqrt(((z - 10) / 9) ** 2 + ((y - 22) / 19) ** 2 + ((x - 20) / 17) ** 2)
    groups = np.zeros(SHAPE, np.uint8)
    for reach, tissue in ((1.0, "cortex"), (0.85, "white_matter"), (0.2, "csf")):
        groups[distance < reach] = list(GROUPS).index(tissue)
    return Anatomy(groups, distance < 1.0)


def painted(anatomy, *names, disease=DISEASE):
    """A scan for each name, its subject before the underscore; every other one has small lesions."""
    return [
        paint(name, name.split("_")[0], anatomy, disease, np.random.default_rng(number), small=bool(number % 2))
        for number, name in enumerate(names)
    ]


def a_study(anatomy: Anatomy) -> StudyMaterial:
    """Four drawn scans, two undrawn, a normal one; one each to choose thresholds and to judge."""
    scans = painted(anatomy, "a_0", "b_0", "c_0", "d_0", "a_1", "b_1", "v_0", "t_0")
    normal = painted(anatomy, "a_n", disease=None)
    mask = ndimage.binary_dilation(np.pad(np.ones((3, 3, 3), bool), 2))
    return StudyMaterial(scans[:4], scans[4:6], normal, scans[6:7], scans[7:], [anatomy], [mask])


def a_runner(out: Path, material: StudyMaterial, **options) -> Runner:
    """Two steps for each training."""
    settings = replace(SETTINGS, workers=0, pool=4, checks=1)
    return Runner(out, 10.0, 2, "cpu", material.fingerprint, settings=settings, **options)
