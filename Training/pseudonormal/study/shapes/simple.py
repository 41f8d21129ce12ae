"""The paper's first situation: objects of simple shape, and an ellipse model for masks."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import product

import numpy as np

from pseudonormal.lesions.ellipses import Ellipses
from pseudonormal.painting.ovals import Kind, oval_picture
from pseudonormal.recipes.shape.material import Framed, ShapeMaterial
from pseudonormal.recipes.shape.options import ShapeOptions
from pseudonormal.study.runner import Runner
from pseudonormal.study.shapes.arm import WHOLE, Arm, Situation, arm_row, average_row, supervised_row

STUDY = "shape-simple"
EDGE = 48
MODELS: dict[Kind, Ellipses] = {
    "head": Ellipses((0.18, 0.32), (1.0, 1.6), 0.15),
    "disc": Ellipses((0.12, 0.22), (1.0, 1.25), 0.15),
}
LEARNT, ESTIMATED, TESTED = 200, 40, 100
OPTIONS = ShapeOptions(dimensions=2, edge=EDGE, width=8, shape_share=0.7, prior_weight=5.0, image_weight=3.0)
ABLATED = (
    Arm("PatchGAN instead of VAE-D", {"patch_judge": True}),
    Arm("no calibration (DGCC)", {"no_calibration": True}),
    Arm("sizes left as they are", {}, {"same_size": False}),
    Arm("no noise weights", {}, {"no_voxel_weights": True, "no_scan_weights": True}),
)


def simple_situation(kind: Kind, seed: int) -> Situation:
    """Drawn pictures and an ellipse model; the masks that pictures were drawn from are never seen in training."""
    model = MODELS[kind]

    def drawn(count: int, stream: int) -> list[Framed]:
        rng = np.random.default_rng([seed, stream])
        found = []
        for number in range(count):
            mask = model.draw((EDGE, EDGE), rng)
            image = oval_picture(mask, kind, rng)
            found.append(Framed(f"{kind}{number}", image[None], np.ones((1, EDGE, EDGE), bool), mask[None]))
        return found

    material = ShapeMaterial(drawn(LEARNT, 1), model, drawn(ESTIMATED, 2), sized=model)
    return Situation(kind, material, drawn(TESTED, 3), OPTIONS)


def simple_study(runner: Runner, seeds: Sequence[int]) -> None:
    """Both kinds of picture; parts are left out where the outline is harder to see, on heads."""
    arms: list[tuple[Kind, Arm | None]] = [(kind, arm) for kind in MODELS for arm in (None, WHOLE)]
    arms += [("head", arm) for arm in ABLATED]
    for (kind, arm), seed in runner.own(product(arms, seeds)):
        situation = simple_situation(kind, seed)
        if arm is None:
            runner.row(STUDY, f"{kind}_supervised_{seed}", partial(supervised_row, situation, runner, seed))
            runner.row(STUDY, f"{kind}_average_{seed}", partial(average_row, situation, runner, seed))
        else:
            name = f"{kind}_{arm.name}_{seed}".replace(" ", "_")
            runner.row(STUDY, name, partial(arm_row, situation, arm, runner, seed))
