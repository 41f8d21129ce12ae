"""One training as the server knows it: what was asked for, how far it is, what it said."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from pseudonormal.scan.atomic import atomic_file

State = Literal["queued", "running", "stopped", "done", "failed"]
Value = bool | int | float | Annotated[str, StringConstraints(max_length=100, pattern=r"^[\w.,:/+-]*$")]
Settings = dict[Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")], Value]
RECORD, SAID, ERRORS, RUN = "training.json", "said.jsonl", "errors.log", "run"
"""What lies in a training's folder: what is known of it, what its process printed on stdout and on stderr, the run."""
EXAMPLE = "example.png"
LEARNING = 0.9
"""The share of the bar that learning takes; the rest is the judging of the candidate."""
_STOPPED = "stopped; what was learnt is saved"


class TrainingRequest(BaseModel):
    """What a client asks for.

    :param model: name of the model to begin from; None: the server's default.
    :param contrast: of the scans to use; "any": mix them; empty: there must be one.
    :param settings: of the trainer and of the recipe, as ``--set`` takes them.
    """

    model_config = ConfigDict(extra="forbid")

    recipe: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
    model: Annotated[str, StringConstraints(pattern=r"^\w[\w.:-]{0,99}$")] | None = None
    minutes: float = Field(10.0, gt=0, le=7 * 24 * 60)
    contrast: Annotated[str, StringConstraints(pattern=r"^[\w.+ -]{0,100}$")] = ""
    settings: Settings = Field(default_factory=dict, max_length=50)


class Record(BaseModel):
    """What is kept on disk of a training.

    :param created: ISO 8601 with its zone.
    :param candidate: the model that it made, as ``pseudonormal retrain`` tells it.
    """

    id: str
    created: str
    request: TrainingRequest
    state: State = "queued"
    error: str | None = None
    candidate: dict[str, Any] | None = None


class TrainingView(BaseModel):
    """A training as clients see it.

    :param progress: share of the whole that is done, 0 to 1.
    :param minutes_left: of learning; None where nothing is known.
    :param message: what is being done, for people.
    :param position: trainings that come first; None when it does not wait.
    :param log: what its process said, from the line that was asked for on, each a JSON object.
    :param next: the number of the next line.
    :param example: whether there is a picture of a case before and after.
    """

    id: str
    recipe: str
    model: str | None
    minutes: float
    contrast: str
    settings: Settings
    state: State
    progress: float
    minutes_left: float | None
    message: str
    position: int | None
    created: str
    error: str | None
    log: list[dict[str, Any]]
    next: int = Field(description="number of the next line: ask for those since it")
    example: bool
    candidate: dict[str, Any] | None


@dataclass
class Training:
    """A training; touched from the event loop only.

    :param folder: everything of the training's lies in it, and outlives the server.
    :ivar said: what its process said, each a JSON object, also before a break.
    """

    record: Record
    folder: Path
    said: list[dict[str, Any]] = field(default_factory=list)
    stopping: bool = False
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def id(self) -> str:
        """Its name in addresses."""
        return self.record.id

    @property
    def run(self) -> Path:
        """What ``pseudonormal retrain`` writes."""
        return self.folder / RUN

    @property
    def example(self) -> Path | None:
        """The newest picture of a case before and after."""
        picture = self.run / EXAMPLE
        return picture if picture.is_file() else None

    def become(self, state: State, **news: Any) -> None:
        """Be in another state, and on disk before anyone learns of it.

        :param news: further fields of the record.
        :raises InputError: the disk is full or must not be written.
        """
        record = self.record.model_copy(update={"state": state, "error": None, **news})
        with atomic_file(self.folder / RECORD) as stream:
            stream.write(record.model_dump_json(indent=1).encode())
        self.record = record

    def hear(self, line: bytes) -> None:
        """Its process has printed a line; what is no JSON object is nobody's business."""
        fact = _object(line)
        if fact is not None:
            self.said.append(fact)

    def add(self, **fact: str) -> None:
        """Put a word of the server's among what the process said."""
        line = json.dumps(fact).encode() + b"\n"
        with (self.folder / SAID).open("ab") as said:
            said.write(line)
        self.hear(line)

    def view(self, position: int | None, since: int = 0) -> TrainingView:
        """What clients see.

        :param position: how many come first, where it waits.
        :param since: the first line that is wanted.
        """
        record, last = self.record, self._last("done")
        learning = self._last("step")
        done = record.state == "done"
        return TrainingView(
            id=record.id,
            recipe=record.request.recipe,
            model=record.request.model,
            minutes=record.request.minutes,
            contrast=record.request.contrast,
            settings=record.request.settings,
            state=record.state,
            progress=1.0 if done else round(_progress(last), 4),
            minutes_left=learning.get("minutes_left") if record.state == "running" and last is learning else None,
            message=self._message(),
            position=position,
            created=record.created,
            error=record.error,
            log=self.said[since:],
            next=len(self.said),
            example=self.example is not None,
            candidate=record.candidate,
        )

    def _last(self, key: str) -> Mapping[str, Any]:
        """The newest line that has a key; an empty one where there is none."""
        return next((line for line in reversed(self.said) if key in line), {})

    def _message(self) -> str:
        if self.record.state != "running":
            words = {"queued": "waiting", "stopped": _STOPPED, "done": "done", "failed": self.record.error or "failed"}
            return words[self.record.state]
        if self.stopping:
            return "stopping: what was learnt is being saved"
        last: Mapping[str, Any] = next((line for line in reversed(self.said) if "stage" in line or "step" in line), {})
        if last.get("stage") == "judging":
            return "comparing with the model of before"
        return "learning" if "step" in last else "reading the cases"


def open_training(folder: Path) -> Training:
    """A training that an earlier server kept; one that was under way or waited then is stopped now.

    :raises ValueError: the folder holds none, or a damaged one.
    """
    try:
        record = Record.model_validate_json((folder / RECORD).read_bytes())
    except OSError as error:
        raise ValueError(f"{folder}: {error.strerror}") from error
    if record.state in ("queued", "running"):
        record.state = "stopped"
    training = Training(record, folder)
    said = folder / SAID
    for line in said.read_bytes().splitlines() if said.is_file() else ():
        training.hear(line)
    training.ended.set()
    return training


def said_last(folder: Path) -> str:
    """The last line on stderr that ``pseudonormal`` gave as its reason; empty where it gave none."""
    try:
        lines = (folder / ERRORS).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    given = [match[1] for match in (re.fullmatch(r"pseudonormal: (.+)", line) for line in lines) if match]
    return given[-1] if given else ""


def _progress(last: Mapping[str, Any]) -> float:
    done = float(last.get("done", 0.0))
    return LEARNING + (1 - LEARNING) * done if last.get("stage") == "judging" else LEARNING * done


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        fact = json.loads(line)
    except ValueError:
        return None
    return fact if isinstance(fact, dict) else None
