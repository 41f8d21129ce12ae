"""A generator of annotated scans, trained from what was accepted in the store; there is no parent to judge it by."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pseudonormal.cases import TRAIN
from pseudonormal.errors import InputError
from pseudonormal.models.bundle import load_model
from pseudonormal.models.device import choose_device
from pseudonormal.recipes.training import find_recipe
from pseudonormal.retraining.finding import brain_finder
from pseudonormal.retraining.material import FOLDER, LIST, gather, read_material
from pseudonormal.store.store import Store
from pseudonormal.training.settings import Settings, write_settings
from pseudonormal.training.streams import load_streams
from pseudonormal.training.trainer import train

LISTED = Path(FOLDER, LIST)
"""Of a generator's folder: what it was made from, and what it makes other scans from."""


@dataclass(frozen=True)
class Generator:
    """What was trained; it lies in the run's folder.

    :param subjects: so many people were learnt from.
    """

    recipe: str
    subjects: int

    def as_json(self) -> dict[str, Any]:
        """What is told of it at the end of a training."""
        return {"recipe": self.recipe, "subjects": self.subjects}


def train_generator(
    store: Store,
    run: Path,
    model: str,
    settings: Settings,
    *,
    recipe: str,
    options: Any = None,
    contrast: str = "",
    resume: bool = False,
    tell: Callable[[Mapping[str, Any]], None] = lambda _: None,
    stop: threading.Event | None = None,
) -> Generator:
    """Train a recipe that makes scans. Synthetic cases are not learnt from: a copy of a copy gets no better.

    A run that was stopped or killed goes on with ``resume``, with the material that it began with.

    :param run: gets what :func:`pseudonormal.training.trainer.train` writes, and the list of its material.
    :param model: finds the brains.
    :param contrast: see :func:`pseudonormal.retraining.material.gather`; ignored on ``resume``.
    :param tell: as for :func:`pseudonormal.retraining.run.retrain`.
    :param stop: once it is set, the state is saved and the training ends.
    :raises InputError: there is nothing to learn from, the run cannot be begun or resumed, or something cannot be
        written.
    :raises Stopped: ``stop`` was set.
    """
    stop = stop or threading.Event()
    if resume:
        material = read_material(run / FOLDER)
    elif (run / FOLDER).exists():
        raise InputError(f"{run}: holds a run already; give --resume to continue it or another folder")
    else:
        material = gather(store, run / FOLDER, contrast=contrast, synthetic=False)
        write_settings(run, recipe, settings, options)
    tell({"stage": "material", **material.survey.counts})
    finder = brain_finder(load_model(model, choose_device(settings.device)), stop)
    taught = find_recipe(recipe).build(load_streams(material.cases, foreground_of=finder), options)
    train(taught, run, settings, resume=resume, progress=tell, warn=lambda line: tell({"warning": line}), stop=stop)
    return Generator(recipe, material.survey.subjects[TRAIN])
