"""The server's parts put together."""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from fastapi import FastAPI, Security
from fastapi.security import HTTPBearer
from pydantic import BaseModel

from pseudonormal import __version__
from pseudonormal.server.auth import TokenNeeded
from pseudonormal.server.engine import Engine, ModelEntry
from pseudonormal.server.errors import NotFound, answer_in_one_line
from pseudonormal.server.job_routes import job_router
from pseudonormal.server.jobs import Jobs
from pseudonormal.server.limits import BodyLimit
from pseudonormal.server.session import open_session, sweep_sessions
from pseudonormal.server.settings import ServerSettings
from pseudonormal.server.volume_routes import volume_router
from pseudonormal.server.volumes import Volumes
from pseudonormal.server.work import PROGRAM, Tools

if TYPE_CHECKING:
    from pseudonormal.store.store import Store

SWEEP_SECONDS = 60.0
_OF_A_STORE = tuple(
    f"/{start}{{rest:path}}" for start in ("cases", "databases", "leases", "recipes", "registry", "trainings")
)
# Only said here, for the readers of /openapi.json; TokenNeeded sees to it.
_TOKEN = [Security(HTTPBearer(auto_error=False, description="The token that the engine was started with."))]
_LOG = logging.getLogger("pseudonormal.server")


class Health(BaseModel):
    """What anyone may know."""

    name: Literal["pseudonormal"] = "pseudonormal"
    version: str = __version__
    ready: bool


class Status(BaseModel):
    """How the server is.

    :param devices: processors that a model can run on; empty until the worker has looked.
    :param device: where the models run.
    :param queued: jobs that wait.
    :param store: whether cases are served.
    """

    version: str = __version__
    devices: list[str]
    device: str
    model: str
    worker: Literal["starting", "ready", "busy", "restarting"]
    queued: int
    store: bool


def create_app(settings: ServerSettings, store: Store | None = None, program: Sequence[str] = PROGRAM) -> FastAPI:
    """A server that is ready to be run; its worker starts and ends with it.

    :param store: the cases that it serves too, and trains on.
    :param program: what trains and makes scans, see :class:`pseudonormal.server.work.Tools`.
    :raises InputError: the data root cannot be written to.
    """
    session = open_session(settings.data)
    volumes = Volumes(session / "volumes", settings.keep_seconds, settings.keep_count)
    jobs = Jobs(session / "jobs", settings.most_waiting, settings.keep_seconds, settings.keep_count)
    engine = Engine(settings, jobs)
    work: list[Callable[[], Coroutine[Any, Any, None]]] = [engine.run, partial(_sweep, session, volumes, jobs)]

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(each()) for each in work]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            shutil.rmtree(session, ignore_errors=True)

    app = FastAPI(
        title="PseudoNormal engine",
        version=__version__,
        description="From a brain scan to its pseudo-normal. Research software, not a medical device.",
        lifespan=lifespan,
        docs_url=None,  # these pages come from elsewhere on the network
        redoc_url=None,
    )
    app.add_middleware(BodyLimit, most_bytes=settings.most_bytes)
    app.add_middleware(TokenNeeded, token=settings.token)
    answer_in_one_line(app, _store_statuses())
    _describe(app, settings, jobs, engine, with_store=store is not None)
    app.include_router(volume_router(volumes), dependencies=_TOKEN)
    app.include_router(job_router(jobs, volumes, engine), dependencies=_TOKEN)
    if store is None:
        _without_store(app)
        return app
    from pseudonormal.models.registry import Registry
    from pseudonormal.server.cases import cases_router
    from pseudonormal.server.database_routes import database_router
    from pseudonormal.server.registry_routes import registry_router
    from pseudonormal.server.training_routes import training_router
    from pseudonormal.server.trainings import FOLDER, Trainings

    def tools() -> Tools:
        where = engine.catalogue.device if engine.catalogue else settings.device
        workers = settings.workers if where == "cpu" else 1  # on a GPU they would get in each other's way
        return Tools(store.folder / FOLDER, store.folder, settings.model, settings.device, workers, program)

    trainings = Trainings(tools, settings.most_waiting)
    work.append(trainings.run)
    learning = (training_router(trainings, store, engine), database_router(trainings), registry_router(Registry()))
    for router in (cases_router(store, jobs, volumes), *learning):
        app.include_router(router, dependencies=_TOKEN)
    return app


def _describe(app: FastAPI, settings: ServerSettings, jobs: Jobs, engine: Engine, *, with_store: bool) -> None:
    @app.get("/health", tags=["server"])
    async def health() -> Health:
        """Whether there is a server, and whether its model is loaded. Needs no token."""
        return Health(ready=engine.state in ("ready", "busy"))

    @app.get("/status", tags=["server"], dependencies=_TOKEN)
    async def status() -> Status:
        """What the server is doing."""
        known = engine.catalogue
        return Status(
            devices=known.devices if known else [],
            device=known.device if known else settings.device,
            model=Path(settings.model).name,
            worker=engine.state,
            queued=jobs.waiting,
            store=with_store,
        )

    @app.get("/models", tags=["server"], dependencies=_TOKEN)
    async def models() -> list[ModelEntry]:
        """The models that jobs can name."""
        return await engine.models()


def _without_store(app: FastAPI) -> None:
    async def no_store(rest: str) -> None:
        raise NotFound("this engine serves no case store; start it with --store FOLDER")

    for path in _OF_A_STORE:
        app.add_api_route(path, no_store, methods=["GET", "POST", "PUT", "DELETE"], include_in_schema=False)


def _store_statuses() -> Mapping[type[Exception], int]:
    from pseudonormal.store.errors import Conflict, Leased, LeaseExpired, UnknownCase

    return {UnknownCase: 404, Conflict: 409, Leased: 409, LeaseExpired: 410}


async def _sweep(session: Path, volumes: Volumes, jobs: Jobs) -> None:
    while True:
        await asyncio.sleep(SWEEP_SECONDS)
        volumes.sweep()
        jobs.sweep()
        with suppress(OSError):
            await asyncio.to_thread(sweep_sessions, session)
