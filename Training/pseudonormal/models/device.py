"""Which processor to compute on."""

from __future__ import annotations

import re

import torch

from pseudonormal.errors import InputError


def choose_device(name: str) -> torch.device:
    """The device that ``--device`` names.

    :param name: "auto" (a GPU where there is one), "cpu", "cuda" or "cuda:N".
    :raises InputError: another word, or a GPU that is not there.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name == "cpu":
        return torch.device("cpu")
    match = re.fullmatch(r"cuda(?::(\d+))?", name)
    if match is None:
        raise InputError(f"--device {name}: is not known: give auto, cpu, cuda or cuda:N")
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if int(match[1] or 0) >= count:
        there = f"this machine has {count} (counted from 0)" if count else "torch finds no GPU on this machine"
        raise InputError(f"--device {name}: {there}: give auto or cpu, or another number")
    return torch.device(name)
