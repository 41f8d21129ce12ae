"""What the engine answers about recipes, trainings and versions of models."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

OVER = ("stopped", "done", "failed")
_REMEDY = re.compile(r"--set ([a-z][a-z0-9_]*)=([\w.+-]+)")


@dataclass(frozen=True)
class RecipeInfo:
    """A recipe that the engine has.

    :param explanation: one paragraph for people.
    :param trainable: whether a training from the case store can name it.
    :param makes: what such a training gives: "model", or "scans": a generator of annotated scans.
    """

    name: str
    explanation: str
    trainable: bool
    makes: str | None = None
    default: bool = False


@dataclass(frozen=True)
class MaterialInfo:
    """What a training would learn from.

    :param labelled: cases with an accepted mask.
    :param unlabelled: all others but the rejected ones.
    :param subjects: how many are learnt from ("train"), choose numbers ("validation") and judge ("test").
    :param weighted: labelled cases with voxels that are not to be trusted.
    :param synthetic: scans that a generator made; models learn from them too.
    :param refusal: why no training can begin, one line; empty when one can.
    :param problems: the refusal, and what else should be known.
    """

    labelled: int
    unlabelled: int
    subjects: Mapping[str, int]
    weighted: int = 0
    synthetic: int = 0
    refusal: str = ""
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class TrainingStatus:
    """How far a training, or a synthetic database, is.

    :param database: what was asked for, where it is one: "generator" (the id of a training), "count", "seed", "keep".
    :param state: ``queued``, ``running`` or one of ``OVER``.
    :param progress: 0 to 1.
    :param minutes_left: of learning, or of making scans; None where nobody knows.
    :param position: trainings that come first; None when it does not wait.
    :param log: what it said from the line asked for on: "step", "minutes", "done" and terms by name.
    :param next: the number of the line to ask for next.
    :param example: the number of the picture that there is, a case before and after or some of the scans that were
        made; 0 for none.
    :param candidate: the model that it made, with "version", "parent", "metrics", "better", "worse", "difference".
    :param generator: what it made to make scans with: "recipe", and of how many "subjects" it learnt.
    :param result: how many scans a database has ("cases"), how many "with_lesion", how many were "added" to the store.
    """

    id: str
    recipe: str
    state: str
    database: Mapping[str, Any] | None = None
    progress: float = 0.0
    minutes_left: float | None = None
    message: str = ""
    position: int | None = None
    model: str | None = None
    minutes: float = 0.0
    settings: Mapping[str, Any] = field(default_factory=dict)
    created: str = ""
    error: str | None = None
    log: tuple[Mapping[str, Any], ...] = ()
    next: int = 0
    example: int = 0
    candidate: Mapping[str, Any] | None = None
    generator: Mapping[str, Any] | None = None
    result: Mapping[str, Any] | None = None

    @property
    def over(self) -> bool:
        """Whether nothing more will happen unless somebody asks for it."""
        return self.state in OVER

    @property
    def remedy(self) -> dict[str, str]:
        """Settings that its error says to change before it goes on; none where it says none."""
        return dict(_REMEDY.findall(self.error or ""))


@dataclass(frozen=True)
class VersionInfo:
    """One version of a model.

    :param parent: the version that it was trained from; None for a model that came from elsewhere.
    :param state: ``current``: what the plain name means; ``retired``: was current; ``candidate``: never was.
    :param metrics: means over the subjects of the frozen evaluation cases.
    :param comparisons: with earlier versions on the same cases, by version: "subjects", "better", "worse" and
        "difference" (by metric: mean, low, high).
    """

    name: str
    version: str
    state: str
    parent: str | None = None
    recipe: str = ""
    created: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    comparisons: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def model(self) -> str:
        """By what a pseudo-normal is asked for from this very version."""
        return f"{self.name}:{self.version}"
