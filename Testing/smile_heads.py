"""Small heads for recipe ``smile``: a ball of two tissues with bright lesions, on the model grid."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import torch
from scipy import ndimage

from pseudonormal.lesions.shapes import SmoothBlob
from pseudonormal.recipes.smile.material import SmileMaterial
from pseudonormal.recipes.smile.options import SmileOptions
from pseudonormal.recipes.smile.recipe import SmileRecipe
from pseudonormal.training.anatomies import Anatomy
from pseudonormal.training.references import Reference

SHAPE = (48, 60, 56)


def a_brain(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Scaled intensities of a brain without lesions, and its mask."""
    rng = np.random.default_rng(seed)
    z, y, x = np.indices(SHAPE) - (np.array(SHAPE) / 2)[:, None, None, None]
    brain = (z / 22) ** 2 + (y / 28) ** 2 + (x / 26) ** 2 < 1
    core = (z / 15) ** 2 + (y / 20) ** 2 + (x / 18) ** 2 < 1
    image = np.where(core, 0.7, 0.45) + 0.05 * np.sin(y / 6 + seed) + 0.02 * rng.standard_normal(SHAPE)
    return np.where(brain, image, 0).astype(np.float32), brain


def a_scan(subject: str, seed: int, kind: str) -> Reference:
    """A scan of a kind: labelled, unlabelled or normal; the first two have three bright lesions."""
    image, brain = a_brain(seed)
    rng = np.random.default_rng(seed)
    lesion = np.zeros(SHAPE, bool)
    if kind != "normal":
        inside = np.argwhere(ndimage.binary_erosion(brain, iterations=8))
        for centre in inside[rng.integers(len(inside), size=3)]:
            lesion |= ((np.indices(SHAPE) - centre[:, None, None, None]) ** 2).sum(0) < 4.5**2
        image = np.where(lesion, image + 0.4, image).astype(np.float32)
    known = lesion if kind != "unlabelled" else None
    doubtful = ndimage.binary_dilation(lesion, iterations=3) & (kind != "unlabelled")
    return Reference(f"{subject}_flair", image, brain, known, doubtful, "flair", subject)


def an_anatomy() -> Anatomy:
    """The same brain as tissue groups: white matter in cortex."""
    image, brain = a_brain(0)
    return Anatomy(np.where(brain, np.where(image > 0.58, 1, 2), 0).astype(np.uint8), brain)


def some_material() -> SmileMaterial:
    """Two labelled scans, one of each other kind, one kept aside."""
    head = an_anatomy()
    return SmileMaterial(
        labelled=[a_scan("first", 1, "labelled"), a_scan("second", 2, "labelled")],
        unlabelled=[a_scan("third", 3, "unlabelled")],
        normal=[a_scan("fourth", 4, "normal")],
        shapes=[SmoothBlob()],
        anatomies=[head],
        mirrored=[head.groups[:, :, ::-1]],
        validation=[a_scan("fifth", 5, "labelled")],
    )


def without_trust(scan: Reference, box: tuple[slice, ...]) -> Reference:
    """The scan with a box that a reviewer marked *do not trust*."""
    weight = np.ones(scan.image.shape, np.float32)
    weight[box] = 0
    return replace(scan, weight=weight, doubtful=scan.doubtful | (weight == 0))


def recipe_of(material, parent=None, **options):
    """Small patches, 2D unless said otherwise; something was found in each unlabelled scan, as after a check."""
    recipe = SmileRecipe(material, SmileOptions(**{"dimensions": 2, "patch": 32, **options}), parent)
    for scan in recipe.material.unlabelled:
        found = np.zeros(SHAPE, np.float32)
        found[18:28, 24:34, 22:32] = 0.9
        recipe._guesses.put(scan.case, found)
    return recipe


def batch_of(recipe, seed=0, times=1):
    """A batch as the trainer makes it: so many rows of each stream."""
    rng = np.random.default_rng(seed)
    stream = recipe.samples(rng)
    rows = [recipe.redraw(next(stream), rng) for _ in range(times * len(recipe.streams))]
    keys = [key for key, value in rows[0].items() if isinstance(value, np.ndarray)]
    return {key: torch.from_numpy(np.stack([one[key] for one in rows]))[:, None] for key in keys}


def networks_of(recipe, seed=0):
    """Networks whose last layers say something, and their teachers."""
    torch.manual_seed(seed)
    networks = recipe.networks()
    for name in set(networks) & {"restore", "painter"}:
        torch.nn.init.normal_(networks[name].head.weight, std=0.05)
    return networks, {name: copy.deepcopy(n).eval().requires_grad_(False) for name, n in networks.items()}
