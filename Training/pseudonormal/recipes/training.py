"""The recipes that can be trained, by name, and how."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pseudonormal.errors import InputError
from pseudonormal.recipes.brain import BrainRecipe
from pseudonormal.recipes.lesion import LesionRecipe
from pseudonormal.recipes.restore import RestoreRecipe
from pseudonormal.training.settings import Settings
from pseudonormal.training.streams import Streams
from pseudonormal.training.trainer import Trainable


@dataclass(frozen=True)
class TrainingRecipe:
    """How one network is trained.

    :param explanation: what it learns and from what, one paragraph.
    :param build: from the training material; reads what it needs of it.
    :param settings: what the shipped model was trained with.
    """

    explanation: str
    build: Callable[[Streams], Trainable]
    settings: Settings


RECIPES: dict[str, TrainingRecipe] = {
    "brain": TrainingRecipe(
        "Finds the brain in a head of any contrast, with or without skull. Learns from label maps alone: each sample "
        "is a head of random pose, contrast, lesions, stripping and field of view, painted from a label map at 2 mm.",
        lambda streams: BrainRecipe(streams.anatomies),
        Settings(minutes=19, batch=3, reuse=4, pool=64, learning_rate=2e-3),
    ),
    "lesion": TrainingRecipe(
        "Finds lesions on any contrast. Learns from the drawn lesions of real scans, and from lesions simulated "
        "in real normal tissue and in heads of any contrast painted from label maps.",
        lambda streams: LesionRecipe(streams.anatomies, streams.references, streams.shapes, streams.in_place),
        Settings(minutes=92, batch=2, reuse=5, pool=100, learning_rate=2e-3),
    ),
    "restore": TrainingRecipe(
        "Says what was there before the lesion: blends and corrects classical fills and the other hemisphere. "
        "Learns from lesions simulated in real normal tissue and in painted heads, so that the truth is known.",
        lambda streams: RestoreRecipe(
            streams.anatomies, streams.mirrored_anatomies, streams.references, streams.planes, streams.shapes
        ),
        Settings(minutes=88, batch=5, reuse=7, pool=140, learning_rate=1.5e-3),
    ),
}


def find_recipe(name: str) -> TrainingRecipe:
    """A recipe by its name.

    :raises InputError: there is none of that name.
    """
    if name not in RECIPES:
        raise InputError(f"recipe '{name}' is not known: name one of {', '.join(RECIPES)}")
    return RECIPES[name]
