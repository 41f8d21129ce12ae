"""How far restorations of the demo's lesion are from its truth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from pseudonormal.demo.scene import Scene
from pseudonormal.evaluate.metrics import psnr
from pseudonormal.generate.pipeline import Options, Result, generate
from pseudonormal.intensity import scale_from
from pseudonormal.models.bundle import Model
from pseudonormal.recipes.classical import CLASSICAL
from pseudonormal.scan.reading import read_mask, read_scan


@dataclass(frozen=True)
class Line:
    """Errors inside the lesion, in scaled intensities (the brain spans 0 to 1).

    :param mae: mean absolute error.
    :param psnr_db: peak signal-to-noise ratio, range 1.
    """

    name: str
    description: str
    mae: float
    psnr_db: float
    seconds: float


def compare(scene: Scene, model: Model, mine: Result, seconds: float) -> Iterator[Line]:
    """The model's error, then that of every classical fill, all through :func:`generate` with the known mask.

    :param mine: the model's result with the known mask.
    :param seconds: what restoring took it.
    """
    yield _line(model.name, "this model", mine, scene, seconds)
    options = Options(mask=scene.mask, foreground=scene.brain)
    for name, recipe in CLASSICAL.items():
        result = generate(scene.scan, model, replace(options, recipe=recipe))
        yield _line(name, recipe.description, result, scene, result.timings["restore"])


def _line(name: str, description: str, result: Result, scene: Scene, seconds: float) -> Line:
    truth = read_scan(scene.truth)
    lesion, _ = read_mask(scene.mask, truth)
    brain, _ = read_mask(scene.brain, truth)
    scale = scale_from(truth.array, brain, lesion)
    error = (scale.apply(result.pseudo_normal) - scale.apply(truth.array))[lesion].astype(np.float64)
    return Line(name, description, float(np.abs(error).mean()), psnr(float((error**2).mean())), seconds)
