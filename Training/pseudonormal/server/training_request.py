"""A training as it is asked for: ``pseudonormal retrain`` with the case store."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import Field, StringConstraints

from pseudonormal.server.headway import Headway
from pseudonormal.server.work import Progress, Said, Settings, Tools, Words, Work

LEARNING = 0.9
"""The share of the bar that learning takes; the rest is the judging of the candidate."""


class TrainingRequest(Work):
    """What a client asks for.

    :param model: name of the model to begin from; None: the server's default.
    :param contrast: of the scans to use; "any": mix them; empty: there must be one.
    :param settings: of the trainer and of the recipe, as ``--set`` takes them.
    """

    picture: ClassVar = "example.png"
    words: ClassVar = Words(
        stopped="stopped; what was learnt is saved",
        stopping="stopping: what was learnt is being saved",
        killed="the training ran out of memory or was killed; resume it, with a smaller batch if it was the memory "
        "(--set batch=1): it goes on from what was saved last",
        cut="it took too long to save what it had just learnt and was ended; it can go on from what it saved before",
    )

    recipe: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
    model: Annotated[str, StringConstraints(pattern=r"^\w[\w.:-]{0,99}$")] | None = None
    minutes: float = Field(10.0, gt=0, le=7 * 24 * 60)
    contrast: Annotated[str, StringConstraints(pattern=r"^[\w.+ -]{0,100}$")] = ""
    settings: Settings = Field(default_factory=dict, max_length=50)

    def command(self, tools: Tools, run: Path) -> list[str]:
        """``retrain``; a run that was begun is resumed."""
        settings = {"minutes": self.minutes} | self.settings
        return [
            *(*tools.program, "retrain", str(tools.store)),
            *("-o", str(run), "--model", self.model or tools.model),
            *("--recipe", self.recipe, "--device", tools.device, "--json"),
            *(["--contrast", self.contrast] if self.contrast else []),
            *(word for key, value in settings.items() for word in ("--set", f"{key}={_text(value)}")),
            *(["--resume"] if run.exists() else []),
        ]

    def shown(self) -> dict[str, Any]:
        """All of it."""
        return self.model_dump()

    def changed(self, settings: Settings) -> TrainingRequest:
        """With some settings that are other ones."""
        return self.model_copy(update={"settings": self.settings | settings})

    def outcome(self, line: Mapping[str, Any]) -> dict[str, Any]:
        """A model that waits to be promoted, or a generator: what scans can be made with."""
        return {kind: line[kind] for kind in ("candidate", "generator") if isinstance(line.get(kind), dict)}

    def progress(self, said: Said, headway: Headway) -> Progress:
        """Learning, then judging."""
        del headway  # it tells its steps itself
        last = _last(said, "done")
        learns = "step" in last
        doing = _last(said, "stage", "step")
        if doing.get("stage") == "judging":
            message = "comparing with the model of before"
        else:
            message = "learning" if "step" in doing else "reading the cases"
        return Progress(_share(last), last.get("minutes_left") if learns else None, message)


def _share(last: Mapping[str, Any]) -> float:
    done = float(last.get("done", 0.0))
    return LEARNING + (1 - LEARNING) * done if last.get("stage") == "judging" else LEARNING * done


def _last(said: Said, *keys: str) -> Mapping[str, Any]:
    """The newest line that has one of the keys; an empty one where there is none."""
    return next((line for line in reversed(said) if any(key in line for key in keys)), {})


def _text(value: bool | float | str) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
