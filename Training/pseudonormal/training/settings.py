"""How to train, and how to say it on the command line."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import get_type_hints

from pseudonormal.errors import InputError

_FROM_ZERO = ("seed", "workers", "average")
_NOT_BY_KEY = ("device",)  # has an option of its own


@dataclass(frozen=True)
class Settings:
    """How to train.

    :param minutes: wall-clock budget; the learning rate falls to 0 over the budget or ``steps``, whichever ends first.
    :param steps: budget in optimizer steps.
    :param batch: samples in a batch, unless the recipe says another number for a group of samples.
    :param reuse: how often each sample is used, redrawn each time: making a sample costs more than a training step.
    :param pool: samples kept to draw from.
    :param workers: processes that make samples; 0: made in this one, where a seed always gives the same weights if
        ``steps`` ends the training and ``minutes`` is out of reach.
    :param average: how much of the moving average of the weights stays at each step.
    :param checkpoint_every: steps.
    """

    minutes: float = 30.0
    steps: int = 100_000
    batch: int = 2
    learning_rate: float = 2e-3
    reuse: int = 3
    pool: int = 48
    workers: int = 1
    seed: int = 0
    average: float = 0.998
    device: str = "cpu"
    checkpoint_every: int = 100


def with_overrides(settings: Settings, pairs: Sequence[str]) -> Settings:
    """Settings changed by ``key=value`` texts, read as the types of :class:`Settings`.

    :raises InputError: an unknown key or a value that cannot be meant, naming the keys that there are.
    """
    types = {name: kind for name, kind in get_type_hints(Settings).items() if name not in _NOT_BY_KEY}
    values: dict[str, float] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        key = key.strip()
        if not equals or key not in types:
            raise InputError(
                f"--set {pair}: is not one of the settings: write KEY=VALUE with a KEY of {', '.join(types)}"
            )
        values[key] = _value(pair, key, text.strip(), types[key])
    return replace(settings, **values)  # type: ignore[arg-type]  # each value has its field's type


def _value(pair: str, key: str, text: str, kind: type) -> float:
    try:
        value: float = kind(text)
    except ValueError:
        wanted = "a whole number" if kind is int else "a number"
        raise InputError(f"--set {pair}: {key} must be {wanted}: for instance {key}={getattr(Settings, key)}") from None
    least = value >= 0 if key in _FROM_ZERO else value > 0
    if not math.isfinite(value) or not least or (key == "average" and value >= 1):
        wanted = "from 0 up to but not 1" if key == "average" else "at least 0" if key in _FROM_ZERO else "above 0"
        raise InputError(f"--set {pair}: {key} must be {wanted}: for instance {key}={getattr(Settings, key)}")
    return value


def write_settings(run: Path, recipe: str, settings: Settings) -> None:
    """Keep with a run what it is trained by: ``settings.json``."""
    part = run / "settings.part"
    part.write_text(json.dumps({"recipe": recipe, **asdict(settings)}, indent=1) + "\n", encoding="utf-8")
    part.replace(run / "settings.json")


def read_settings(run: Path) -> tuple[str, Settings]:
    """The recipe's name and the settings of a run that was begun.

    :raises InputError: the folder holds no run, or a damaged one.
    """
    path = run / "settings.json"
    try:
        content = dict(json.loads(path.read_text(encoding="utf-8")))
        return str(content.pop("recipe")), Settings(**content)
    except FileNotFoundError:
        raise InputError(f"{run}: holds no run that could be resumed: leave --resume away to begin one") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: is damaged: begin the run anew in another folder") from error
