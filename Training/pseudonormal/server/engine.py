"""The worker process as the server sees it: started, fed with jobs, listened to, killed and started again."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from contextlib import suppress
from typing import Any, Literal

from pydantic import BaseModel

from pseudonormal.models.registry import Registry
from pseudonormal.server.errors import NotFound, NotReady
from pseudonormal.server.job import Job, JobResult
from pseudonormal.server.jobs import Jobs
from pseudonormal.server.settings import ServerSettings

_LOG = logging.getLogger("pseudonormal.server")
GRACE_SECONDS = 0.5
"""So long a cancelled job may take to leave off by itself; with the kill that follows it is less than a second."""
FIRST_CATALOGUE_SECONDS = 30.0
CATALOGUE_SECONDS = 2.0
MOST_STARTS = 3
LONGEST_LINE = 1 << 26
DIED = "the engine ran out of memory or was killed; it has been started again: try again, or send a smaller scan"
UNABLE = "the engine's worker cannot start; see the engine's log"


class ModelEntry(BaseModel):
    """A model that jobs can name."""

    name: str
    version: str
    description: str
    default: bool
    trained_families: list[str]
    trained_contrasts: list[str]
    licence: str


class RecipeEntry(BaseModel):
    """A recipe that the engine has.

    :param explanation: what it learns and from what, one paragraph.
    :param trainable: whether a training from the case store can name it.
    :param makes: what such a training gives: a model, or a generator of annotated scans.
    """

    name: str
    explanation: str
    trainable: bool
    makes: Literal["model", "scans"] | None = None
    default: bool


class Catalogue(BaseModel):
    """What the worker can offer."""

    devices: list[str]
    device: str
    models: list[ModelEntry]
    recipes: list[RecipeEntry]


class Engine:
    """Keeps one worker alive and gives it one job at a time."""

    def __init__(self, settings: ServerSettings, jobs: Jobs) -> None:
        self.state: Literal["starting", "ready", "busy", "restarting"] = "starting"
        self.catalogue: Catalogue | None = None
        self._settings = settings
        self._jobs = jobs
        self._process: asyncio.subprocess.Process | None = None
        self._current: Job | None = None
        self._feeding: asyncio.Task[None] | None = None
        self._listed = asyncio.Event()

    async def run(self) -> None:
        """Keep a worker alive until this task is cancelled; the worker is killed then."""
        fruitless = 0
        while True:
            fruitless = 0 if await self._one_worker() else fruitless + 1
            self.state = "restarting"
            if fruitless >= MOST_STARTS:
                self._jobs.drop_waiting(UNABLE)
            if fruitless:
                await asyncio.sleep(min(30.0, 2.0 ** (fruitless - 1)))

    async def models(self) -> list[ModelEntry]:
        """The models that there are now; those that were known last when the worker does not answer soon.

        :raises NotReady: the worker has not said yet.
        """
        return (await self._newest_catalogue()).models

    async def recipes(self) -> list[RecipeEntry]:
        """The recipes that there are; as long known as :meth:`models`.

        :raises NotReady: the worker has not said yet.
        """
        return (await self._newest_catalogue()).recipes

    async def check_recipe(self, name: str) -> None:
        """Make sure that a training can name a recipe.

        :raises NotFound: it cannot.
        """
        known = [recipe.name for recipe in await self.recipes() if recipe.trainable]
        if name not in known:
            raise NotFound(f"the engine can train no such recipe; name one of {', '.join(known) or 'none'}")

    async def check_model(self, name: str | None) -> None:
        """Make sure that there is a model of that name, or such a version of one (``NAME:VERSION``).

        :raises NotFound: there is none.
        """
        if name is None:
            return
        known = [model.name for model in await self.models()]
        if name not in known and not _is_version(name):
            raise NotFound(f"the engine has no such model; name one of {', '.join(known) or 'none'}")

    async def cancel(self, job: Job) -> None:
        """End a job, within a second whatever it does."""
        if job.state == "queued":
            self._jobs.withdraw(job)
        if job.ended.is_set():
            return
        job.cancelling = True
        job.touch()
        self._send(do="cancel", job=job.id)
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(job.ended.wait(), GRACE_SECONDS)
        if not job.ended.is_set():
            self._kill()  # nothing is computed from here on; the system takes its time to free the memory
            job.end("cancelled")

    async def _newest_catalogue(self) -> Catalogue:
        self._listed.clear()
        self._send(do="list")
        patience = CATALOGUE_SECONDS if self.catalogue else FIRST_CATALOGUE_SECONDS
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._listed.wait(), patience)
        if self.catalogue is None:
            raise NotReady("the engine is still starting; try again in a few seconds")
        return self.catalogue

    async def _one_worker(self) -> bool:
        """The life of one worker; whether it was ready at any time."""
        chosen = {
            "model": self._settings.model,
            "device": self._settings.device,
            "threads": self._settings.threads,
        }
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "pseudonormal.server.worker", json.dumps(chosen)),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                limit=LONGEST_LINE,
            )
        except OSError as error:
            _LOG.error("the worker cannot be started: %s", error)
            return False
        self._process = process
        was_ready = False
        assert process.stdout
        try:
            async for line in process.stdout:
                if not line.endswith(b"\n"):
                    break  # killed in the middle of a word
                news = json.loads(line)
                if news["is"] == "ready":
                    self.state, was_ready = "ready", True
                    self._feeding = asyncio.create_task(self._feed())
                self._hear(news)
        finally:
            self._kill()
            code = await process.wait()
            self._process = None
            job, self._current = self._current, None
            if job and job.result is None:
                self._jobs.drop(job, None if job.cancelling else DIED)
        if not (job and job.cancelling):
            _LOG.warning("the worker has ended by itself or was killed (exit code %s); it is started again", code)
        return was_ready

    async def _feed(self) -> None:
        while True:
            job = self._current = await self._jobs.take()
            self.state = "busy"
            self._send(
                do="generate",
                job=job.id,
                inputs={role: str(path) for role, path in job.inputs.items()},
                folder=str(job.folder),
                **job.request.model_dump(include={"model", "mode", "texture", "reach_mm", "contrast"}),
            )
            await job.ended.wait()
            self._current = None
            self.state = "ready"

    def _hear(self, news: dict[str, Any]) -> None:
        what, job = news.pop("is"), self._current
        if what == "catalogue":
            self.catalogue = Catalogue(**news)
            self._listed.set()
        if job is None or news.get("job") != job.id or job.ended.is_set():
            return
        if what == "stage":
            job.begin(news["stage"])
        elif what == "log":
            job.say(news["line"])
        elif what == "done":
            self._jobs.done(job, JobResult(report=news["report"], files=news["files"]))
        elif what == "failed":
            self._jobs.drop(job, news["error"])
        elif what == "cancelled":
            self._jobs.drop(job, None)

    def _send(self, **order: Any) -> None:
        stdin = self._process.stdin if self._process else None
        if stdin and not stdin.is_closing():
            stdin.write(json.dumps(order).encode() + b"\n")

    def _kill(self) -> None:
        self.state = "restarting"
        if self._feeding:
            self._feeding.cancel()
        if self._process and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.kill()


def _is_version(name: str) -> bool:
    model, _, version = name.partition(":")
    registry = Registry()
    return model in registry.names() and version in [entry.version for entry in registry.entries(model)]
