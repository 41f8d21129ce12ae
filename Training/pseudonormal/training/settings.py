"""How to train, and how to say it on the command line."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from pseudonormal.errors import InputError
from pseudonormal.scan.atomic import atomic_file

_FROM_ZERO = ("seed", "workers", "average", "momentum", "checks")
_BELOW_ONE = ("average", "momentum")
_NOT_BY_KEY = ("device",)  # has an option of its own
_WORDS = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
_KINDS = {int: "a whole number", float: "a number", bool: "1 or 0", str: "a word"}

Options = TypeVar("Options")


@dataclass(frozen=True)
class Settings:
    """How to train.

    :param minutes: wall-clock budget; the learning rate falls to 0 over the budget or ``steps``, whichever ends first.
    :param steps: budget in optimizer steps of each player.
    :param batch: samples in a batch of each stream, over all processes; a group of samples may take a share of it.
    :param momentum: of the optimizer (Adam's beta 1); adversaries follow each other better with little.
    :param reuse: how often each sample is used, redrawn each time: making a sample costs more than a training step.
    :param pool: samples kept to draw from.
    :param workers: processes that make samples; 0: made in this one. With the same number of them a seed gives the
        same weights, if ``steps`` ends the training and ``minutes`` is out of reach.
    :param average: how much of the moving average of the weights stays at each step.
    :param bfloat16: half precision where it is safe and the processor is faster so; 0: all in float32.
    :param checkpoint_every: steps.
    :param checkpoint_seconds: a checkpoint is written at least so often.
    :param checks: how often the recipe's check is made in the whole training, the one at the end included.
    :param shrink: go on with half the batch when the GPU's memory does not suffice, instead of giving up.
    """

    minutes: float = 30.0
    steps: int = 100_000
    batch: int = 2
    learning_rate: float = 2e-3
    momentum: float = 0.9
    reuse: int = 3
    pool: int = 48
    workers: int = 1
    seed: int = 0
    average: float = 0.998
    bfloat16: bool = True
    device: str = "cpu"
    checkpoint_every: int = 100
    checkpoint_seconds: float = 20.0
    checks: int = 10
    shrink: bool = False


def with_overrides(settings: Settings, options: Options, pairs: Sequence[str]) -> tuple[Settings, Options]:
    """Settings and a recipe's options, changed by ``key=value`` texts: each key is looked up in the settings first.

    :param options: a frozen dataclass of numbers, truth values and words, or None.
    :raises InputError: an unknown key or a value that cannot be meant, naming the keys that there are.
    """
    known = {name: kind for name, kind in get_type_hints(Settings).items() if name not in _NOT_BY_KEY}
    own = {} if options is None else get_type_hints(type(options))
    for pair in pairs:
        key, equals, text = (part.strip() for part in pair.partition("="))
        if not equals or key not in {**known, **own}:
            keys = ", ".join([*known, *own])
            raise InputError(f"--set {pair}: is not one of the settings: write KEY=VALUE with a KEY of {keys}")
        if key in known:
            value = _value(pair, key, text, known[key], settings)
            _within(pair, key, value)
            settings = replace(settings, **{key: value})
        else:
            changed = {key: _value(pair, key, text, own[key], options)}
            options = replace(options, **changed)  # type: ignore[type-var]  # a dataclass, as said above
    return settings, options


def _value(pair: str, key: str, text: str, kind: type, example: object) -> Any:
    try:
        value = _WORDS[text.lower()] if kind is bool else kind(text)
    except (KeyError, ValueError):
        wanted = _KINDS[kind]
        raise InputError(f"--set {pair}: {key} must be {wanted}: for instance {key}={getattr(example, key)}") from None
    if isinstance(value, float) and not math.isfinite(value):
        raise InputError(f"--set {pair}: {key} must be finite: for instance {key}={getattr(example, key)}")
    return value


def _within(pair: str, key: str, value: float) -> None:
    if isinstance(value, bool):
        return
    least = value >= 0 if key in _FROM_ZERO else value > 0
    if not least or (key in _BELOW_ONE and value >= 1):
        wanted = "from 0 up to but not 1" if key in _BELOW_ONE else "at least 0" if key in _FROM_ZERO else "above 0"
        raise InputError(f"--set {pair}: {key} must be {wanted}: for instance {key}={getattr(Settings, key)}")


def write_settings(run: Path, recipe: str, settings: Settings, options: Any = None) -> None:
    """Keep with a run what it is trained by: ``settings.json``.

    :param options: the recipe's own, a dataclass, or None.
    :raises InputError: the folder cannot be written or the disk is full.
    """
    content = {"recipe": recipe, **asdict(settings), "options": {} if options is None else asdict(options)}
    with atomic_file(run / "settings.json") as file:
        file.write((json.dumps(content, indent=1) + "\n").encode())


def read_settings(run: Path) -> tuple[str, Settings]:
    """The recipe's name and the settings of a run that was begun.

    :raises InputError: the folder holds no run, or a damaged one.
    """
    content = _read(run)
    known = {field.name for field in fields(Settings)}
    try:
        return str(content["recipe"]), Settings(**{key: content[key] for key in content if key in known})
    except (KeyError, TypeError) as error:
        raise _damaged(run) from error


def read_options(run: Path, options: Options) -> Options:
    """The recipe's options of a run that was begun.

    :param options: the recipe's own, which hold for whatever the run does not say.
    :raises InputError: the folder holds no run, or one that was begun with other options than the recipe has.
    """
    said = _read(run).get("options", {})
    if options is None:
        return options
    try:
        changed: Options = replace(options, **said)  # type: ignore[type-var]  # a dataclass
    except TypeError as error:
        raise _damaged(run) from error
    return changed


def _read(run: Path) -> dict[str, Any]:
    path = run / "settings.json"
    try:
        content = dict(json.loads(path.read_text(encoding="utf-8")))
        unknown = set(content) - {field.name for field in fields(Settings)} - {"recipe", "options"}
        if unknown or "recipe" not in content:
            raise _damaged(run)
    except FileNotFoundError:
        raise InputError(f"{run}: holds no run that could be resumed: leave --resume away to begin one") from None
    except (OSError, ValueError, TypeError) as error:
        raise _damaged(run) from error
    return content


def _damaged(run: Path) -> InputError:
    return InputError(f"{run / 'settings.json'}: is damaged: begin the run anew in another folder")
