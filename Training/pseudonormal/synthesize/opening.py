"""From a trained run to what makes annotated scans, whatever recipe it is of."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from pseudonormal.cases import TRAIN, Case
from pseudonormal.errors import InputError
from pseudonormal.evaluate.rows import digest
from pseudonormal.recipes.synthesizer import Synthesizer
from pseudonormal.recipes.um.opening import open_um
from pseudonormal.training.references import FindForeground
from pseudonormal.training.settings import read_settings
from pseudonormal.training.streams import Streams

# A recipe that makes annotated scans stands here; from a run, scans to make others from, a device and an extent.
OPENERS: dict[str, Callable[[Path, Streams, torch.device, str], Synthesizer]] = {"um": open_um}


@dataclass(frozen=True)
class Opened:
    """What makes scans.

    :param fingerprint: of the weights, the options, the extent and the scans that others are made from.
    """

    synthesizer: Synthesizer
    recipe: str
    fingerprint: str


def sources(cases: Sequence[Case]) -> list[Case]:
    """Cases that scans may be made from: real ones of split train; of all where no case is in any split.

    What is made from a test subject would carry that subject into the training.

    :raises InputError: there is none.
    """
    split = TRAIN if any(case.split for case in cases) else ""
    found = [case for case in cases if case.split == split and case.image is not None and not case.synthetic]
    if not found:
        raise InputError(f"no case to make others from: list real scans of split '{TRAIN}', with or without a mask")
    return found


def open_synthesizer(
    run: Path, cases: Sequence[Case], foreground_of: FindForeground, device: torch.device, extent: str
) -> Opened:
    """Load a run and the scans to make others from.

    :param cases: those of :func:`sources`.
    :param extent: "scan" or "slab".
    :raises InputError: the folder holds no finished run of a recipe that makes scans, or a file cannot be used.
    """
    recipe, _ = read_settings(run)
    if recipe not in OPENERS:
        raise InputError(
            f"{run}: holds a run of recipe {recipe}, which makes no scans: give one of {', '.join(OPENERS)}"
        )
    synthesizer = OPENERS[recipe](run, Streams(cases, foreground_of), device, extent)
    weights = [hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(run.glob("*.safetensors"))]
    facts = [f"{case.case} {case.subject} {case.image}" for case in cases]
    return Opened(synthesizer, recipe, digest(recipe, extent, *weights, *facts)[:16])
