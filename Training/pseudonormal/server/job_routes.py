"""``/jobs``: ask for work, watch it, cancel it, fetch what it made."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import FileResponse, StreamingResponse

from pseudonormal.server.engine import Engine
from pseudonormal.server.errors import NotFound
from pseudonormal.server.job import Job, JobRequest, JobView
from pseudonormal.server.jobs import Jobs
from pseudonormal.server.volumes import Volumes

HEARTBEAT_SECONDS = 1.0
"""An event at least so often: progress within a stage moves on with the time."""
Since = Annotated[int, Query(ge=0, description="first log line that is wanted")]


class LargeFile(FileResponse):
    """A file in blocks large enough for volumes."""

    chunk_size = 1 << 20


def job_router(jobs: Jobs, volumes: Volumes, engine: Engine) -> APIRouter:
    """The routes of a server's jobs."""
    router = APIRouter(tags=["jobs"])

    @router.post("/jobs", status_code=202)
    async def submit(request: JobRequest) -> JobView:
        """Put a job into the queue."""
        asked = {"volume": request.volume, "mask": request.mask, "foreground": request.foreground}
        inputs = {role: volumes.path(upload) for role, upload in asked.items() if upload is not None}
        await engine.check_model(request.model)
        return jobs.view(await jobs.submit(request, inputs))

    @router.get("/jobs")
    async def all_jobs() -> list[JobView]:
        """Every job that is still known, the last first, without their logs."""
        return jobs.views()

    @router.get("/jobs/{job_id}")
    async def one_job(job_id: str, since: Since = 0) -> JobView:
        """How far a job is."""
        return jobs.view(jobs.job(job_id), since)

    @router.get("/jobs/{job_id}/events", response_class=StreamingResponse)
    async def events(job_id: str, since: Since = 0) -> StreamingResponse:
        """The same as server-sent events, until the job is over."""
        return StreamingResponse(_events(jobs, jobs.job(job_id), since), media_type="text/event-stream")

    @router.delete("/jobs/{job_id}")
    async def cancel(job_id: str) -> JobView:
        """End a job within a second; one that is over stays as it is."""
        job = jobs.job(job_id)
        await engine.cancel(job)
        return jobs.view(job)

    @router.get("/jobs/{job_id}/files/{name}", response_class=FileResponse)
    async def file(job_id: str, name: str) -> LargeFile:
        """One of the files that the job's result names."""
        finished = jobs.finished(job_id)
        known = next((known for known in finished.files.values() if known == name), None)
        if known is None:
            raise NotFound(f"the job has no such file; name one of {', '.join(finished.files.values())}")
        return LargeFile(finished.folder / known)

    return router


async def _events(jobs: Jobs, job: Job, since: int) -> AsyncIterator[str]:
    while True:
        view = jobs.view(job, since)
        since = view.next
        yield f"data: {view.model_dump_json()}\n\n"
        if job.ended.is_set():
            return
        await job.change(HEARTBEAT_SECONDS)
