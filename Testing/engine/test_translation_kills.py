"""Trainings of recipes ``translation`` and ``mask-gan`` that are killed go on as if nothing had been."""

from __future__ import annotations

import json
import multiprocessing
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from Testing.smile_heads import a_scan

from pseudonormal.recipes.mask_gan.drawing import load_mask_gan
from pseudonormal.recipes.mask_gan.material import MaskGanMaterial
from pseudonormal.recipes.mask_gan.options import MaskGanOptions
from pseudonormal.recipes.mask_gan.recipe import MaskGanRecipe
from pseudonormal.recipes.translation.material import mapped_scans
from pseudonormal.recipes.translation.networks import TRANSLATOR
from pseudonormal.recipes.translation.options import TranslationOptions
from pseudonormal.recipes.translation.recipe import TranslationRecipe
from pseudonormal.training.coarse import coarse_scan
from pseudonormal.training.holding import LOCK
from pseudonormal.training.run_weights import with_weights
from pseudonormal.training.settings import Settings
from pseudonormal.training.trainer import train

STEPS = 24
SETTINGS = Settings(
    minutes=1e9, steps=STEPS, batch=1, pool=4, reuse=4, workers=0, checks=0, checkpoint_every=2, bfloat16=False
)


def a_recipe(name):
    if name == "mask-gan":
        y, x = np.indices((32, 32))
        discs = [((x - 8 - n) ** 2 + (y - 16) ** 2 < 25).astype(np.float32) for n in range(8)]
        material = MaskGanMaterial(discs, [str(n) for n in range(8)])
        return MaskGanRecipe(material, MaskGanOptions(dimensions=2, edge=32, width=4))
    options = TranslationOptions(translator="pix2pix", patch=32, width=4, judge_width=4, classes=3)
    return TranslationRecipe(mapped_scans([coarse_scan(a_scan("one", 1, "labelled"))], options), options)


def learn(name: str, run: Path) -> None:
    torch.set_num_threads(1)
    train(a_recipe(name), run, SETTINGS)


@pytest.mark.parametrize("name", ["mask-gan", "translation"])
def test_kill_9_leaves_a_run_that_goes_on_to_its_end(tmp_path, name):
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    run = tmp_path / "run"
    process = context.Process(target=learn, args=(name, run))
    process.start()
    deadline = time.monotonic() + 120
    while not (run / "checkpoint.pt").exists():
        assert process.is_alive()
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.kill()
    process.join()
    assert process.exitcode == -9
    assert not list(run.glob("*.safetensors"))  # it was in the midst of it

    recipe = a_recipe(name)
    weights = train(recipe, run, SETTINGS, resume=True, warn=pytest.fail)
    assert set(weights) == set(recipe.networks())
    steps = [json.loads(line)["step"] for line in (run / "log.jsonl").read_text().splitlines()]
    assert steps[-1] == STEPS
    assert all(0 < step <= SETTINGS.checkpoint_every for step in np.diff([0, *steps]))
    left = {path.suffix for path in run.iterdir() if path.name != LOCK}
    assert left <= {".json", ".jsonl", ".pt", ".safetensors"}
    if name == "mask-gan":
        assert load_mask_gan(run, torch.device("cpu")).options == recipe.options
    else:
        with_weights(recipe.networks()[TRANSLATOR], run, TRANSLATOR, torch.device("cpu"))
