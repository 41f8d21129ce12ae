"""One job: what was asked for, how far it is, what came of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from pseudonormal.generate.stages import MOST_REACH_MM
from pseudonormal.scan.contrast import Contrast
from pseudonormal.server.pace import Pace

State = Literal["queued", "running", "done", "failed", "cancelled"]
CASE = "scan"
"""What reports call the case, and the folder of a job's results: the server knows no names."""
LONGEST_LOG = 1000
STAGE_WORDS = {
    "read": "reading the scan",
    "foreground": "finding the brain",
    "lesions": "finding lesions",
    "restore": "restoring normal tissue",
    "compare": "comparing",
    "write": "writing the results",
}


class JobRequest(BaseModel):
    """What a client asks for.

    Volumes are named by the ids of their uploads. Without a mask the model finds the lesions, without a foreground the
    brain, without a model the server's default is taken, or one that was trained for the contrast where that was not.

    :param contrast: the scan's, as far as it is known; it stands in the report, and in a case made of the job.
    :param reach_mm: make the wide difference as well, which sees so far beyond the mask; 0: do not.
    """

    model_config = ConfigDict(extra="forbid")

    kind: Literal["generate"] = "generate"
    volume: str
    mask: str | None = None
    foreground: str | None = None
    model: str | None = None
    mode: Literal["auto", "void", "guided"] = "auto"
    texture: bool = False
    reach_mm: float = Field(0.0, ge=0, le=MOST_REACH_MM)
    contrast: Contrast | None = None


class JobResult(BaseModel):
    """What a job made.

    :param report: the content of ``report.json``.
    :param files: names to ask ``/jobs/{id}/files/{name}`` for, by what they hold.
    """

    report: dict[str, Any]
    files: dict[str, str]


class JobView(BaseModel):
    """A job as clients see it.

    :param progress: share of the work that is done, 0 to 1.
    :param message: what is being done, for people.
    :param seconds_left: None where nothing is known.
    :param position: jobs that will be done before it; None when it does not wait.
    :param log: the lines from the one that was asked for on.
    :param next: the number of the next line.
    """

    id: str
    kind: Literal["generate"]
    state: State
    progress: float
    message: str
    seconds_left: float | None
    position: int | None
    log: list[str]
    next: int = Field(description="number of the next log line: ask for those since it")
    error: str | None
    result: JobResult | None


@dataclass(frozen=True)
class FinishedJob:
    """The files of a job that is done.

    :param folder: holds ``files``.
    :param report: the content of ``report.json``.
    :param files: file names by what they hold: "pseudo_normal", "difference", "difference_z", "confidence",
        "lesion_mask", "foreground" (NRRD on the volume's grid), "report_json", "report_html", and, where it was asked
        for, "wide_difference_z" (NRRD).
    :param volume: the scan as it was uploaded.
    """

    folder: Path
    report: dict[str, Any]
    files: dict[str, str]
    volume: Path


@dataclass
class Job:
    """A job as the server knows it; touched from the event loop only.

    :param inputs: files by role, "volume", "mask" and "foreground"; links of its own in ``folder``.
    :param folder: everything of the job's lies in it.
    """

    id: str
    request: JobRequest
    folder: Path
    inputs: dict[str, Path]
    clock: Callable[[], float] = time.monotonic
    state: State = "queued"
    cancelling: bool = False
    log: list[str] = field(default_factory=list)
    error: str | None = None
    result: JobResult | None = None
    stage: str = "read"
    stage_began: float = 0.0
    seconds: dict[str, float] = field(default_factory=dict)
    ended_at: float | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def begin(self, stage: str) -> None:
        """It is at a stage now."""
        if (self.state, self.stage) == ("running", stage):
            return
        self._finish_stage()
        self.state, self.stage, self.stage_began = "running", stage, self.clock()
        self.touch()

    def say(self, line: str) -> None:
        """Add a line to the log."""
        if len(self.log) < LONGEST_LOG:
            self.log.append(line)
            self.touch()

    def end(self, state: State, *, error: str | None = None, result: JobResult | None = None) -> None:
        """It is over; only the first end counts."""
        if self.ended.is_set():
            return
        self._finish_stage()
        self.state, self.error, self.result, self.ended_at = state, error, result, self.clock()
        self.ended.set()
        self.touch()

    def touch(self) -> None:
        """Wake whoever waits for a change."""
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def change(self, timeout: float) -> None:
        """Wait for a change, or so many seconds."""
        try:
            await asyncio.wait_for(self._changed.wait(), timeout)
        except asyncio.TimeoutError:
            return

    def view(self, pace: Pace, position: int | None, since: int = 0) -> JobView:
        """What clients see.

        :param position: how many are done before it.
        :param since: the first log line that is wanted.
        """
        running = self.state == "running"
        elapsed = self.clock() - self.stage_began
        progress = pace.progress(self.stage, elapsed) if running else float(self.state == "done")
        return JobView(
            id=self.id,
            kind=self.request.kind,
            state=self.state,
            progress=round(progress, 4),
            message=self._message(),
            seconds_left=pace.seconds_left(self.stage, elapsed) if running else None,
            position=position if self.state == "queued" else None,
            log=self.log[since:],
            next=len(self.log),
            error=self.error,
            result=self.result,
        )

    def _message(self) -> str:
        if self.state == "running":
            return "cancelling" if self.cancelling else STAGE_WORDS[self.stage]
        return {"queued": "waiting", "done": "done", "failed": self.error or "failed", "cancelled": "cancelled"}[
            self.state
        ]

    def _finish_stage(self) -> None:
        if self.state == "running":
            self.seconds[self.stage] = self.clock() - self.stage_began
