"""What is to be trained: the user's choice."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from PseudoNormalLib.i18n import _

_PAIR = re.compile(r"([a-z][a-z0-9_]*)=([\w.,:/+-]*)")
CONTRASTS = ("", "flair", "t1", "t2", "pd", "any")
"""Which scans to use: all, if they are alike; those of one contrast; all, mixed."""


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
