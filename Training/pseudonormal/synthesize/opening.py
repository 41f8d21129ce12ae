"""From a trained run to what makes annotated scans, whatever recipe it is of."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pseudonormal.cases import TRAIN, Case
from pseudonormal.errors import InputError
from pseudonormal.evaluate.rows import digest
from pseudonormal.recipes.synthesizer import Synthesizer, Wanted
from pseudonormal.recipes.translation.opening import open_translation
from pseudonormal.recipes.um.opening import open_um
from pseudonormal.training.references import FindForeground
from pseudonormal.training.settings import read_settings
from pseudonormal.training.streams import Streams

# A recipe that makes annotated scans stands here: from a run, scans to make others from, and what is wanted.
OPENERS: dict[str, Callable[[Path, Streams, Wanted], Synthesizer]] = {"um": open_um, "translation": open_translation}


@dataclass(frozen=True)
class Opened:
    """What makes scans.

    :param fingerprint: of the weights, the options, the extent and the scans that others are made from.
    """

    synthesizer: Synthesizer
    recipe: str
    fingerprint: str


def sources(cases: Sequence[Case]) -> list[Case]:
    """Cases that scans may be made from: real ones of split train, and heads; of all where no case is in any split.

    What is made from a test subject would carry that subject into the training.

    :raises InputError: there is none.
    """
    split = TRAIN if any(case.split for case in cases) else ""
    own = [case for case in cases if case.split == split and not case.synthetic]
    found = [case for case in own if case.kind != "shape"]
    if not found:
        raise InputError(f"no case to make others from: list real scans of split '{TRAIN}', with or without a mask")
    return found


def open_synthesizer(run: Path, cases: Sequence[Case], foreground_of: FindForeground, wanted: Wanted) -> Opened:
    """Load a run and the scans to make others from.

    :param cases: those of :func:`sources`.
    :raises InputError: the folder holds no finished run of a recipe that makes scans, or a file cannot be used.
    """
    recipe, _ = read_settings(run)
    if recipe not in OPENERS:
        raise InputError(
            f"{run}: holds a run of recipe {recipe}, which makes no scans: give one of {', '.join(OPENERS)}"
        )
    synthesizer = OPENERS[recipe](run, Streams(cases, foreground_of), wanted)
    runs = [run, *([wanted.masks] if wanted.masks else [])]
    files = [path for one in runs for path in sorted(one.glob("*.safetensors"))]
    weights = [hashlib.sha256(path.read_bytes()).hexdigest() for path in files]
    facts = [f"{case.case} {case.subject} {case.image}" for case in cases]
    return Opened(synthesizer, recipe, digest(recipe, wanted.extent, *weights, *facts)[:16])
