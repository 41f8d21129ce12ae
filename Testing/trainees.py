"""Recipes so small that a test can train them, and processes that train them to be killed."""

from __future__ import annotations

import sys
import threading
import time
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch import nn

from pseudonormal.training.settings import Settings
from pseudonormal.training.trainable import Trainable
from pseudonormal.training.trainer import train

EDGE = 8
# out of reach in minutes, so that steps alone decide
TINY = Settings(
    minutes=1e9, steps=40, batch=2, pool=8, reuse=2, workers=0, learning_rate=0.05, checkpoint_every=10, bfloat16=False
)


class Doubling(Trainable):
    """Learns that the target is twice the image."""

    name = "doubling"
    players = MappingProxyType({"doubling": ("doubling",)})

    def networks(self) -> dict[str, nn.Module]:
        """One weight, one bias."""
        return {"doubling": nn.Conv3d(1, 1, 1)}

    def samples(self, rng):
        while True:
            image = rng.standard_normal((EDGE,) * 3, dtype=np.float32)
            yield {"image": image, "target": 2 * image}

    def redraw(self, sample, rng):
        sign = np.float32(rng.choice([-1, 1]))
        return {key: sign * value for key, value in sample.items() if isinstance(value, np.ndarray)}

    def loss(self, networks, batch, turn):
        error = networks["doubling"](batch["image"]).float() - batch["target"]
        return {"loss": error.square().mean(), "bias": error.detach().mean()}


@dataclass(frozen=True)
class GameOptions:
    """What can be chosen about :class:`Game`."""

    factor: float = 2.0
    shy: bool = False
    colour: str = "grey"


class Game(Trainable):
    """Two players in 2D: a painter that multiplies, and a judge that guesses what the painter's factor is.

    Its streams have different lessons: only "known" rows tell the painter the factor.
    """

    name = "game"
    players = MappingProxyType({"painter": ("paint",), "judge": ("guess",)})
    streams = ("known", "unknown")

    def __init__(self, options: GameOptions = GameOptions()) -> None:
        """Write down each turn."""
        self.options = options
        self.turns: list[Any] = []

    def networks(self) -> dict[str, nn.Module]:
        """A weight each."""
        return {"paint": nn.Conv2d(1, 1, 1, bias=False), "guess": nn.Conv2d(1, 1, 1, bias=False)}

    def samples(self, rng):
        while True:
            for stream in self.streams:
                image = 1 + rng.random((EDGE, EDGE), dtype=np.float32)
                known = np.full_like(image, stream == "known")
                yield {"image": image, "known": known, "stream": stream}

    def redraw(self, sample, rng):
        return {key: value for key, value in sample.items() if isinstance(value, np.ndarray)}

    def loss(self, networks, batch, turn):
        self.turns.append((turn.player, turn.done, batch["known"][:, 0, 0, 0].tolist(), turn.teachers))
        painted = networks["paint"](batch["image"])
        if turn.player == "painter":
            error = (painted - self.options.factor * batch["image"]) * batch["known"]
            return {"loss": error.square().mean(), "seen_through": networks["guess"](painted).mean()}
        return {"loss": (networks["guess"](batch["image"]) - painted.detach()).square().mean()}

    def check(self, networks, run):
        run.joinpath("example.png").write_bytes(b"picture")
        assert not any(parameter.requires_grad for parameter in networks["paint"].parameters())
        assert not torch.is_grad_enabled()
        return {"factor": networks["paint"].weight.item()}


class Crowd(Game):
    """The game with samples of three sizes; the larger they are, the fewer fit into a batch."""

    name = "crowd"

    def samples(self, rng):
        for sample in super().samples(rng):
            group, times, share = (("small", 1, 1.0), ("middle", 2, 0.4), ("large", 3, 0.2))[rng.integers(3)]
            arrays = {key: np.tile(value, (times, times)) for key, value in sample.items() if key != "stream"}
            yield {**arrays, "stream": sample["stream"], "group": group, "share": share}


class Noisy(Doubling):
    """Doubling, with noise of variance 1/4 that nobody can learn; each step takes a moment."""

    name = "noisy"

    def samples(self, rng):
        for sample in super().samples(rng):
            noise = 0.5 * rng.standard_normal((EDGE,) * 3, dtype=np.float32)
            yield {**sample, "target": sample["target"] + noise}

    def loss(self, networks, batch, turn):
        time.sleep(0.002)
        return super().loss(networks, batch, turn)


class Endless(Doubling):
    """A sample, a layer and a check that take longer than anybody would wait, where they are asked for."""

    name = "endless"

    def __init__(self, where: str) -> None:
        """Choose from "sample", "layer", "backward" and "check"."""
        self.where = where
        self.begun = threading.Event()

    def networks(self):
        layers = [Slow(self) for _ in range(200)] if self.where != "sample" else []
        return {"doubling": nn.Sequential(nn.Conv3d(1, 1, 1), *layers)}

    def samples(self, rng):
        for number, sample in enumerate(super().samples(rng)):
            if self.where == "sample" and number == 8:
                time.sleep(200)
            yield sample

    def check(self, networks, run):
        if self.where == "check":
            self.begun.set()
            networks["doubling"](torch.zeros(1, 1, 2, 2, 2))
        return {}


class Slow(nn.Module):
    """A layer that takes a second where its recipe says so."""

    def __init__(self, recipe: Endless) -> None:
        """Change nothing."""
        super().__init__()
        self.recipe = recipe

    def __deepcopy__(self, _: Any) -> Slow:
        return Slow(self.recipe)

    def forward(self, image):
        if self.recipe.where == "layer" or (self.recipe.where == "check" and not torch.is_grad_enabled()):
            self.recipe.begun.set()
            time.sleep(1)
        if self.recipe.where == "backward" and image.requires_grad:
            image.register_hook(self.wait)
        return image * 1.0

    def wait(self, _: Any) -> None:
        """Take a second on the way back, too."""
        self.recipe.begun.set()
        time.sleep(1)


def train_in_pieces(said: Connection, run: Path, settings: Settings) -> None:
    """Begin or go on with a run of :class:`Noisy`, saying "ready", then each line."""
    said.send("ready")
    train(Noisy(), run, settings, resume=True, progress=said.send)


def main() -> None:
    """Train the crowd: ``python -m Testing.trainees RUN STEPS BATCH``."""
    run, steps, batch = sys.argv[1:]
    train(Crowd(), Path(run), replace(TINY, steps=int(steps), batch=int(batch)))


if __name__ == "__main__":
    main()
