"""What is to be trained: the user's choice."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from PseudoNormalLib.i18n import _

if TYPE_CHECKING:
    from PseudoNormalLib.engine.training_replies import RecipeInfo
    from PseudoNormalLib.training.bench import TrainingBench

_PAIR = re.compile(r"([a-z][a-z0-9_]*)=([\w.,:/+-]*)")
CONTRASTS = ("", "flair", "t1", "t2", "pd", "any")
"""Which scans to use: all, if they are alike; those of one contrast; all, mixed."""
LONGEST_MINUTES = 7 * 24 * 60
USUAL_MINUTES = 10


@dataclass(frozen=True)
class Plan:
    """A training to be begun.

    :param recipe: its name.
    :param model: the model to begin from; empty: the engine's own choice.
    :param minutes: how long it learns.
    :param contrast: one of ``CONTRASTS``.
    :param settings: of the trainer and of the recipe.
    """

    recipe: str
    model: str = ""
    minutes: float = 10.0
    contrast: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)


def settings_in(text: str) -> dict[str, str]:
    """Settings as people write them: ``batch=1 patch=48``.

    :raises ValueError: something is no setting; one line.
    """
    settings = {}
    for word in text.split():
        pair = _PAIR.fullmatch(word)
        if pair is None:
            line = _("“{word}” is no setting; write them like batch=1 seed=3")
            raise ValueError(line.format(word=word))
        settings[pair[1]] = pair[2]
    return settings


def settings_as_text(settings: Mapping[str, object]) -> str:
    """The opposite of :func:`settings_in`."""
    return " ".join(f"{key}={value}" for key, value in settings.items())


def recipe_offers(training: TrainingBench) -> list[tuple[str, str]]:
    """What can be trained: text and name of each recipe."""
    other = _("{name} (not from a case store)")
    return [(each.name if each.trainable else other.format(name=each.name), each.name) for each in training.recipes]


def recipe_named(training: TrainingBench, name: str) -> RecipeInfo | None:
    """The engine's recipe of a name; its own choice where there is none of that name."""
    found = next((each for each in training.recipes if each.name == name), None)
    return found or next((each for each in training.recipes if each.default), None)


def start_model_offers(training: TrainingBench) -> list[tuple[str, str]]:
    """What a training can begin from: text and name; the engine's own choice comes first, with no name."""
    own = next((f"{model.name} {model.version}" for model in training.models if model.default), "")
    first = _("Automatic ({name})").format(name=own) if own else _("Automatic")
    return [(first, ""), *((f"{model.name} {model.version}", model.name) for model in training.models)]


def begin_obstacle(recipe: RecipeInfo | None) -> str:
    """Why nobody can choose a model to begin from, in one line; empty when that can be chosen."""
    scans = recipe is not None and recipe.makes == "scans"
    return _("It makes scans, and no version of a model: it begins from nothing") if scans else ""


def begin_tip() -> str:
    """What the model to begin from is for."""
    return _("The training begins with this model's weights, so that it does not forget")


def contrast_offers() -> list[tuple[str, str]]:
    """Which scans can be used: text and word of ``CONTRASTS``."""
    words = {"": _("All, which must be of one contrast"), "any": _("All, contrasts mixed"), "pd": _("PD only"),
             "flair": _("FLAIR only"), "t1": _("T1 only"), "t2": _("T2 only")}  # fmt: skip
    return [(words[contrast], contrast) for contrast in CONTRASTS]


def start_obstacle(training: TrainingBench, recipe: RecipeInfo | None, settings: str) -> str:
    """Why a training cannot be started now, in one line; empty when it can.

    :param settings: as people write them, see :func:`settings_in`.
    """
    if training.obstacle():
        return training.obstacle()
    if recipe is None or training.material is None:
        return _("The engine has not said yet what it can train")
    if not recipe.trainable:
        return _("This recipe cannot learn from a case store: choose another one")
    try:
        settings_in(settings)
    except ValueError as error:
        return str(error)
    return training.material.refusal
