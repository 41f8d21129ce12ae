"""Samples of recipe ``translation``: a slice or a patch with its label map."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from pseudonormal.networks.translators import LATENT
from pseudonormal.recipes.translation.maps import can_mirror, mirrored, with_lesion
from pseudonormal.recipes.translation.material import Mapped, TranslationMaterial
from pseudonormal.recipes.translation.options import TranslationOptions
from pseudonormal.recipes.um.drawing import middle_of
from pseudonormal.recipes.um.rows import turned
from pseudonormal.recipes.um.superpixels import to_network
from pseudonormal.training.crops import box_around, padded

ON_LESION = 0.7  # share of the samples of a scan with lesions that show one
LEAST_FOREGROUND = 0.2  # of the largest slice: smaller ones show little
GAIN, OFFSET = 0.03, 0.02

Parts = dict[str, NDArray[Any]]


def sample(material: TranslationMaterial, options: TranslationOptions, rng: Generator) -> Parts:
    """A slice or patch: "image", "brain", "labels" without the lesion, "lesion", "grades", "trust"; (*S).

    Where there are no pairs, "labels", "lesion" and "inside" (their foreground) are another scan's.
    """
    one = _cut(_any_of(material, rng), options, rng)
    if options.translator != "cyclegan":
        return {**one, "inside": one["brain"]}
    other = _cut(_any_of(material, rng), options, rng)
    return {**other, "image": one["image"], "brain": one["brain"], "inside": other["brain"]}


def row(drawn: Parts, options: TranslationOptions, rng: Generator) -> dict[str, NDArray[np.float32]]:
    """What the losses see of a sample: mirrored, turned, a little brighter or darker.

    "image" in [-1, 1], "brain", "labels" with the lesion, "normal" the labels without it, "lesion", "inside", "trust",
    "noise"; (*S). "latent".
    """
    parts = dict(drawn)
    if can_mirror(options) and rng.random() < 0.5:
        parts = {
            key: mirrored(part, options) if key == "labels" else np.ascontiguousarray(part[..., ::-1])
            for key, part in parts.items()
        }
    if options.dimensions == 2:
        parts = turned(parts, rng)
    image = parts["image"] * np.exp(rng.normal(0, GAIN)) + rng.normal(0, OFFSET)
    lesion = parts["lesion"] > 0
    arrays = {
        **parts,
        "image": np.where(parts["brain"] > 0, to_network(np.asarray(image, np.float32)), np.float32(-1)),
        "labels": with_lesion(parts["labels"], parts["grades"], options),
        "normal": parts["labels"],
        "noise": rng.standard_normal(lesion.shape, dtype=np.float32),
        "latent": rng.standard_normal(LATENT, dtype=np.float32),
    }
    return {key: np.ascontiguousarray(array, np.float32) for key, array in arrays.items()}


def _any_of(material: TranslationMaterial, rng: Generator) -> Mapped:
    return material.scans[int(rng.integers(len(material.scans)))]


def _cut(one: Mapped, options: TranslationOptions, rng: Generator) -> Parts:
    scan, edge = one.scan, options.patch
    on_lesion = bool(one.lesion.any()) and rng.random() < ON_LESION
    trust = np.ones(scan.brain.shape, np.float32) if scan.weight is None else scan.weight
    parts: Parts = {"image": scan.image, "brain": scan.brain, "trust": trust}
    parts |= {"labels": one.labels, "lesion": one.lesion, "grades": one.grades}
    if options.dimensions == 3:
        box = box_around(
            middle_of(scan.brain, one.lesion if on_lesion else scan.brain, edge, rng), edge, scan.brain.shape
        )
        return {key: padded(part[box], edge) for key, part in parts.items()}
    area = scan.brain.sum(axis=(1, 2))
    shown = one.lesion.any(axis=(1, 2)) if on_lesion else area >= LEAST_FOREGROUND * area.max()
    levels = np.flatnonzero(shown & (area > 0))
    level = int(levels[rng.integers(len(levels))])
    aim = one.lesion[level] if on_lesion else scan.brain[level]
    centre = [level, *middle_of(scan.brain[level], aim, edge, rng)]
    edges = (1, edge, edge)
    box = box_around(centre, edges, scan.brain.shape)
    return {key: padded(part[box], edges)[0] for key, part in parts.items()}
