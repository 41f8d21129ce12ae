"""What a recipe's options may be."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from pseudonormal.errors import InputError

WEIGHT = "_weight"  # how the names of losses' weights end
Rule = tuple[bool, str]
"""Whether an option is fine, and what it must be."""


def check_options(options: Any, rules: Mapping[str, Rule], from_zero: Iterable[str] = ()) -> None:
    """Refuse what cannot be meant; weights of losses must be at least 0, whatever else is said.

    :param options: a dataclass.
    :param rules: by the option's name.
    :param from_zero: further options that must be at least 0.
    :raises InputError: naming the option and what it may be.
    """
    weights = [field.name for field in fields(options) if field.name.endswith(WEIGHT)]
    numbers = {name: getattr(options, name) for name in (*weights, *from_zero)}
    positive = {name: (number >= 0 and math.isfinite(number), "at least 0") for name, number in numbers.items()}
    for name, (fine, wanted) in {**rules, **positive}.items():
        if not fine:
            raise InputError(f"{name}={getattr(options, name)}: must be {wanted}")
