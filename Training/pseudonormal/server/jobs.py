"""All jobs of a server: those that wait, the one that runs, those that are over for a while."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path

from pseudonormal.server import kinds
from pseudonormal.server.errors import NotDone, NotFound, QueueFull, unwritable
from pseudonormal.server.job import CASE, FinishedJob, Job, JobRequest, JobResult, JobView
from pseudonormal.server.pace import Pace

_UNKNOWN = "there is no such job on the engine, or not any more; ask for it again"


class Jobs:
    """Jobs in the order they came; kept in memory alone, so that a server that starts again knows none.

    :param folder: existing; each job gets a folder in it.
    :param most_waiting: so many may wait; more are refused.
    """

    def __init__(
        self,
        folder: Path,
        most_waiting: int,
        keep_seconds: float,
        keep_count: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.pace = Pace()
        self._folder = folder
        self._most_waiting = most_waiting
        self._keep_seconds = keep_seconds
        self._keep_count = keep_count
        self._clock = clock
        self._jobs: dict[str, Job] = {}
        self._waiting: deque[Job] = deque()
        self._came = asyncio.Event()

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._waiting)

    async def submit(self, request: JobRequest, inputs: Mapping[str, Path]) -> Job:
        """Put a job at the end of the queue.

        :param inputs: uploads by role; they may go as soon as this returns.
        :raises QueueFull: too many wait.
        """
        if len(self._waiting) >= self._most_waiting:
            raise QueueFull(f"the engine has {len(self._waiting)} jobs waiting and takes no more; try again later")
        identity = secrets.token_hex(16)
        folder = self._folder / identity
        job = Job(identity, request, folder, {}, self._clock)
        self._jobs[identity] = job
        self._waiting.append(job)  # before the links are there, so that two at once do not overfill the queue
        try:
            job.inputs = await asyncio.to_thread(_links, folder, inputs)
        except BaseException:
            self._waiting.remove(job)
            del self._jobs[identity]
            shutil.rmtree(folder, ignore_errors=True)
            self._moved()
            raise
        self._moved()
        self.sweep()
        return job

    def job(self, job_id: str) -> Job:
        """A job by its id.

        :raises NotFound: there is none.
        """
        if job_id not in self._jobs:
            raise NotFound(_UNKNOWN)
        return self._jobs[job_id]

    def view(self, job: Job, since: int = 0) -> JobView:
        """A job as clients see it.

        :param since: the first log line that is wanted.
        """
        running = any(other.state == "running" for other in self._jobs.values())
        ahead = self._waiting.index(job) + running if job in self._waiting else None
        return job.view(self.pace, ahead, since)

    def views(self) -> list[JobView]:
        """All jobs, the last first, without their logs."""
        return [self.view(job, len(job.log)) for job in reversed(self._jobs.values())]

    def finished(self, job_id: str) -> FinishedJob:
        """The files of a job that is done. May be called from any thread.

        :raises NotFound: there is no such job.
        :raises NotDone: it is not done, or was not done well.
        """
        job = self.job(job_id)
        if job.result is None:
            raise NotDone(f"the job has no results, it is {job.state}; wait until it is done or send it again")
        return FinishedJob(job.folder / CASE, job.result.report, job.result.files, job.inputs["volume"])

    async def take(self) -> Job:
        """The next job, as soon as there is one; it no longer waits then."""
        while not (self._waiting and self._waiting[0].inputs):
            self._came.clear()
            await self._came.wait()
        job = self._waiting.popleft()
        job.begin("read")
        self._moved()
        return job

    def done(self, job: Job, result: JobResult) -> None:
        """A job has been done."""
        job.end("done", result=result)
        self.pace.add(job.seconds)

    def withdraw(self, job: Job) -> None:
        """Cancel a job that waits."""
        self._waiting.remove(job)
        self.drop(job, None)
        self._moved()

    def drop(self, job: Job, error: str | None) -> None:
        """A job has ended without results; nothing of it is kept but what is known of it.

        :param error: why; None: it was cancelled.
        """
        shutil.rmtree(job.folder, ignore_errors=True)
        job.end("failed" if error else "cancelled", error=error)

    def drop_waiting(self, error: str) -> None:
        """Nothing that waits can be done."""
        while self._waiting:
            self.drop(self._waiting.popleft(), error)

    def sweep(self) -> None:
        """Forget ended jobs that are too old or too many, oldest first."""
        ended = [job for job in self._jobs.values() if job.ended_at is not None]
        for number, job in enumerate(ended):
            too_many = len(ended) - number > self._keep_count
            if too_many or self._clock() - (job.ended_at or 0.0) > self._keep_seconds:
                shutil.rmtree(job.folder, ignore_errors=True)
                del self._jobs[job.id]

    def _moved(self) -> None:
        self._came.set()
        for job in self._waiting:
            job.touch()


def _links(folder: Path, inputs: Mapping[str, Path]) -> dict[str, Path]:
    """Give a job files of its own, named after what they are; they cost no room where the disk can link."""
    try:
        folder.mkdir()
        links = {}
        for role, path in inputs.items():
            link = folder / f"{role}{kinds.suffix_of(path.name)}"
            try:
                os.link(path, link)
            except FileNotFoundError:
                raise
            except OSError:
                shutil.copyfile(path, link)
            links[role] = link
    except FileNotFoundError as error:
        raise NotFound("a volume of the job has just been removed; send it again") from error
    except OSError as error:
        raise unwritable(error) from error
    return links
