"""One training, or one synthetic database, as the server knows it: what was asked for, how far it is, what it said."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field

from pseudonormal.scan.atomic import atomic_file
from pseudonormal.server.database_request import Database, DatabaseRequest
from pseudonormal.server.headway import Headway
from pseudonormal.server.training_request import TrainingRequest
from pseudonormal.server.work import RUN, Settings

State = Literal["queued", "running", "stopped", "done", "failed"]
RECORD, SAID, ERRORS = "training.json", "said.jsonl", "errors.log"
"""What lies in a training's folder: what is known of it, what its process printed on stdout and on stderr."""
_PLACES = ("list", "sheet")
"""What a line may say of the server's files, which are not the clients' business."""


class Record(BaseModel):
    """What is kept on disk of a training.

    :param created: ISO 8601 with its zone.
    :param candidate: the model that it made, as ``pseudonormal retrain`` tells it.
    :param generator: what it made to make scans with: "recipe", and of how many "subjects" it learnt.
    :param result: how many scans were made, as ``pseudonormal synthesize`` tells it.
    """

    id: str
    created: str
    request: TrainingRequest | Database
    state: State = "queued"
    error: str | None = None
    candidate: dict[str, Any] | None = None
    generator: dict[str, Any] | None = None
    result: dict[str, Any] | None = None


class TrainingView(BaseModel):
    """A training, or a synthetic database, as clients see it.

    :param recipe: of a database: that of its generator.
    :param database: what was asked for, where it is one; model, minutes, contrast and settings are a training's.
    :param progress: share of the whole that is done, 0 to 1.
    :param minutes_left: of learning, or of making scans; None where nothing is known.
    :param message: what is being done, for people.
    :param position: trainings that come first; None when it does not wait.
    :param log: what its process said, from the line that was asked for on, each a JSON object.
    :param next: the number of the next line.
    :param example: the number of the picture that there is, a case before and after or some of the scans that were
        made; another one where it was drawn anew, 0 for none.
    :param generator: what a training made that makes scans, no model: "recipe", and of how many "subjects" it learnt.
    :param result: of a database: how many scans there are ("cases"), how many "with_lesion", how many were "added" to
        the case store.
    """

    id: str
    recipe: str
    database: DatabaseRequest | None = None
    model: str | None = None
    minutes: float = 0.0
    contrast: str = ""
    settings: Settings = Field(default_factory=dict)
    state: State
    progress: float
    minutes_left: float | None
    message: str
    position: int | None
    created: str
    error: str | None
    log: list[dict[str, Any]]
    next: int = Field(description="number of the next line: ask for those since it")
    example: int
    candidate: dict[str, Any] | None
    generator: dict[str, Any] | None
    result: dict[str, Any] | None


@dataclass
class Training:
    """A training, or a synthetic database; touched from the event loop only.

    :param folder: everything of the training's lies in it, and outlives the server.
    :ivar said: what its process said, each a JSON object, also before a break; what it counted is not among it.
    :ivar headway: what it counted.
    """

    record: Record
    folder: Path
    said: list[dict[str, Any]] = field(default_factory=list)
    headway: Headway = field(default_factory=Headway)
    stopping: bool = False
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def id(self) -> str:
        """Its name in addresses."""
        return self.record.id

    @property
    def run(self) -> Path:
        """What its process writes."""
        return self.folder / RUN

    @property
    def example(self) -> Path | None:
        """The newest picture of what it is at."""
        picture = self.run / self.record.request.picture
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
        if fact is None:
            return
        if fact.get("event") == "progress":
            self.headway.hear(fact)
        else:
            self.said.append({key: value for key, value in fact.items() if key not in _PLACES})

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
        record, request = self.record, self.record.request
        now = request.progress(self.said, self.headway)
        runs, done = record.state == "running", record.state == "done"
        return TrainingView(
            id=record.id,
            state=record.state,
            progress=1.0 if done else round(now.share, 4),
            minutes_left=now.minutes_left if runs else None,
            message=self._message(now.message),
            position=position,
            created=record.created,
            error=record.error,
            log=self.said[since:],
            next=len(self.said),
            example=self._example_number(),
            candidate=record.candidate,
            generator=record.generator,
            result=record.result,
            **request.shown(),
        )

    def _message(self, doing: str) -> str:
        words = self.record.request.words
        if self.record.state == "running":
            return words.stopping if self.stopping else doing
        known = {"queued": "waiting", "stopped": words.stopped, "done": "done", "failed": self.record.error or "failed"}
        return known[self.record.state]

    def _example_number(self) -> int:
        """When it was drawn, in ms: a number that a picture drawn later does not have."""
        try:
            return (self.run / self.record.request.picture).stat().st_mtime_ns // 1_000_000
        except OSError:
            return 0


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


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        fact = json.loads(line)
    except ValueError:
        return None
    return fact if isinstance(fact, dict) else None
