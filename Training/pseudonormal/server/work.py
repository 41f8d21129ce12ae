"""What the queue of trainings does one after the other, whatever kind it is of: how it is asked for, started, heard."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, StringConstraints

from pseudonormal.server.headway import Headway

Value = bool | int | float | Annotated[str, StringConstraints(max_length=100, pattern=r"^[\w.,:/+-]*$")]
Settings = dict[Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")], Value]
Said = Sequence[Mapping[str, Any]]
RUN = "run"
"""What the process of a piece of work writes, in the folder of that work."""
PROGRAM = (sys.executable, "-m", "pseudonormal.cli.until_stdin_ends")


@dataclass(frozen=True)
class Tools:
    """What every process is made with.

    :param folder: of all trainings, one folder each.
    :param store: the case store's folder.
    :param model: where nobody names another one.
    :param device: "auto", "cpu", "cuda" or "cuda:N".
    :param workers: processes that may compute beside each other.
    :param program: the command that the words of ``pseudonormal`` are added to; it prints JSON lines and ends, its
        state saved, when its stdin does.
    """

    folder: Path
    store: Path
    model: str
    device: str
    workers: int
    program: Sequence[str] = PROGRAM


@dataclass(frozen=True)
class Words:
    """What is said of a kind of work in states that all kinds know."""

    stopped: str
    stopping: str
    killed: str
    cut: str


@dataclass(frozen=True)
class Progress:
    """How far a piece of work is.

    :param share: of the whole that is done, 0 to 1.
    :param minutes_left: None where nothing is known.
    :param message: what is being done, for people.
    """

    share: float
    minutes_left: float | None
    message: str


class Work(BaseModel, ABC):
    """What a client asks for, and what follows from it.

    :cvar picture: the file in the run's folder that shows what it is at.
    """

    model_config = ConfigDict(extra="forbid")

    picture: ClassVar[str]
    words: ClassVar[Words]

    @abstractmethod
    def command(self, tools: Tools, run: Path) -> list[str]:
        """Its process's command; what was begun goes on.

        :param run: the folder that it writes.
        :raises InputError: something that it needs is not there any more.
        """

    @abstractmethod
    def shown(self) -> dict[str, Any]:
        """What clients see of what was asked for, as fields of :class:`pseudonormal.server.training.TrainingView`."""

    @abstractmethod
    def changed(self, settings: Settings) -> Work:
        """The same with other settings.

        :raises InputError: it has none that could be changed.
        """

    @abstractmethod
    def outcome(self, line: Mapping[str, Any]) -> dict[str, Any]:
        """What a line of its process says was made, as fields of the record; empty where it says nothing of that."""

    @abstractmethod
    def progress(self, said: Said, headway: Headway) -> Progress:
        """How far it is while it runs.

        :param said: all that its processes said.
        :param headway: what they counted.
        """
