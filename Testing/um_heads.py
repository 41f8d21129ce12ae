"""Small heads for recipe ``um``, on its grid: three drawn subjects, two that nobody drew in."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import torch
from Testing.smile_heads import a_scan

from pseudonormal.recipes.um.material import sorted_units
from pseudonormal.recipes.um.options import UmOptions
from pseudonormal.recipes.um.recipe import UmRecipe
from pseudonormal.scan.scan import Geometry
from pseudonormal.scan.writing import write_image
from pseudonormal.training.coarse import coarse_scan

SMALL = {"patch": 32, "superpixel_mm": 6.0, "width": 4, "judge_width": 4}
HEADER = "case,subject,split,image,mask,normal,foreground,contrast\n"


def some_scans():
    """Two drawn scans and one undrawn on a grid of 2 mm."""
    kinds = (("first", 1, "labelled"), ("second", 2, "labelled"), ("third", 3, "unlabelled"))
    return [coarse_scan(a_scan(*kind)) for kind in kinds]


def um_recipe(scans=None, **options):
    """Small networks and pictures."""
    chosen = UmOptions(**SMALL | options)
    validation = [coarse_scan(a_scan("fifth", 5, "labelled"))]
    return UmRecipe(sorted_units(some_scans() if scans is None else scans, chosen, validation), chosen)


def um_batch(recipe, seed=0, times=1):
    """A batch as the trainer makes it."""
    rng = np.random.default_rng(seed)
    stream = recipe.samples(rng)
    rows = [recipe.redraw(next(stream), rng) for _ in range(times * len(recipe.streams))]
    return {key: torch.from_numpy(np.stack([row[key] for row in rows]))[:, None] for key in rows[0]}


def um_networks(recipe, seed=0):
    """Networks and their teachers."""
    torch.manual_seed(seed)
    networks = recipe.networks()
    return networks, {name: copy.deepcopy(n).eval().requires_grad_(False) for name, n in networks.items()}


def write_cases(folder: Path, *, drawn=(True, True, False), split="train") -> Path:
    """The scans as files with their list."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for number, known in enumerate(drawn, start=1):
        scan = a_scan(f"s{number}", number, "labelled")
        geometry = Geometry(scan.image.shape[::-1], (1.0,) * 3, (0.0,) * 3, (-1, 0, 0, 0, -1, 0, 0, 0, 1))
        name = f"case{number}"
        parts = {"image": (1000 * scan.image).astype(np.int16), "mask": scan.lesion, "brain": scan.brain}
        for part, array in parts.items():
            write_image(array, geometry, folder / f"{name}_{part}.nii.gz")
        mask = f"{name}_mask.nii.gz" if known else ""
        rows.append(f"{name},s{number},{split},{name}_image.nii.gz,{mask},,{name}_brain.nii.gz,flair\n")
    (folder / "cases.csv").write_text(HEADER + "".join(rows), encoding="utf-8")
    return folder / "cases.csv"
