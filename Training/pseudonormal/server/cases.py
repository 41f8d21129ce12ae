"""The case store over HTTP: cases, their volumes and the revisions of their masks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import FileResponse
from numpy.typing import NDArray

from pseudonormal.errors import InputError
from pseudonormal.server.case_answers import (
    AgreementAnswer,
    CaseAnswer,
    CasesAnswer,
    NewCase,
    NewConsensus,
    NewResults,
    ResultsAnswer,
    RevisionAnswer,
    WholeCaseAnswer,
)
from pseudonormal.server.errors import Unfit, without_place
from pseudonormal.server.jobs import Jobs
from pseudonormal.server.leases import leases_router
from pseudonormal.server.volumes import Volumes
from pseudonormal.store import agreement
from pseudonormal.store.errors import UnknownCase
from pseudonormal.store.records import RevisionRecord, Status
from pseudonormal.store.results import DERIVED
from pseudonormal.store.store import Store
from pseudonormal.store.volumes import CHOOSE_VOLUME

_LEAST, _MOST = 1, 1000
_FAR = 10**9


def cases_router(store: Store, jobs: Jobs, volumes: Volumes) -> APIRouter:
    """The routes under ``/cases`` and ``/leases``."""
    router = APIRouter(dependencies=[Depends(without_place(store.folder), scope="function")])
    router.include_router(leases_router(store))
    router.include_router(_reading(store))
    router.include_router(_writing(store, jobs, volumes))
    return router


def _reading(store: Store) -> APIRouter:
    router = APIRouter(tags=["cases"])

    @router.get("/cases")
    def cases(
        status: Status | None = None,
        text: Annotated[str, Query(max_length=100)] = "",
        limit: Annotated[int, Query(ge=_LEAST, le=_MOST)] = 100,
        offset: Annotated[int, Query(ge=0, le=_FAR)] = 0,
    ) -> CasesAnswer:
        """A page of cases, those to review first first."""
        page, total = store.cases(status=status, text=text, limit=limit, offset=offset)
        return CasesAnswer(cases=[CaseAnswer.of(case) for case in page], total=total)

    @router.get("/cases/{case_id}")
    def case(case_id: str) -> WholeCaseAnswer:
        """A case with its history."""
        record = store.case(case_id)
        return WholeCaseAnswer.with_all(record, store.history(case_id), store.volumes(case_id), store.report(case_id))

    @router.get("/cases/{case_id}/volumes/{name}", response_class=FileResponse)
    def volume(case_id: str, name: str, revision: str | None = None) -> FileResponse:
        """A volume's file (.nii.gz), as it stood at a revision; by default the newest."""
        return _file(store.volume_path(case_id, name, revision), f"{case_id}_{name}")

    @router.get("/cases/{case_id}/revisions/{revision_id}/mask", response_class=FileResponse)
    def mask(case_id: str, revision_id: str) -> FileResponse:
        """A revision's mask (.nii.gz)."""
        revision = _revision_of(store, case_id, revision_id)
        return _file(store.mask_path(revision.id), f"{case_id}_mask_{revision.number}")

    @router.get("/cases/{case_id}/revisions/{revision_id}/weights", response_class=FileResponse)
    def weights(case_id: str, revision_id: str) -> FileResponse:
        """How far each voxel of a revision is to be trusted (.nii.gz), 0 not at all; 404 where all of them are."""
        revision = _revision_of(store, case_id, revision_id)
        path = store.weights_path(revision.id)
        if path is None:
            raise UnknownCase(f"{revision.id}: has no weights; all its voxels count alike")
        return _file(path, f"{case_id}_weights_{revision.number}")

    @router.get("/cases/{case_id}/agreement")
    def agree(case_id: str, a: str, b: str) -> AgreementAnswer:
        """How far two revisions agree."""
        for revision in (a, b):
            _revision_of(store, case_id, revision)
        return AgreementAnswer.model_validate(agreement.compare(store, a, b))

    return router


def _writing(store: Store, jobs: Jobs, volumes: Volumes) -> APIRouter:
    router = APIRouter(tags=["cases"])

    async def sent_mask(request: Request, format: Literal["nrrd", "nii.gz"]) -> AsyncIterator[Path]:  # noqa: A002
        """The request's body as a file for as long as the request lasts; ``format`` is the address's own word."""
        received = await volumes.receive(f"mask.{format}", request.stream())
        try:
            yield received.path
        finally:
            volumes.remove(received.id)

    # As a default: FastAPI looks names in annotations up in the module, where there is no such thing. And removed
    # before the answer goes out, so that whoever has the answer finds nothing left.
    body = Depends(sent_mask, scope="function")

    @router.post("/cases", status_code=201)
    def add(new: NewCase) -> CaseAnswer:
        """Add a case."""
        source = _of_job(jobs, new.job) if new.job is not None else _of_upload(volumes, new)
        mask = volumes.path(new.mask) if new.mask is not None else source.mask
        with _sent_as(_words(source.image, mask)):
            record = store.add_case(
                source.image,
                mask=mask,
                volumes=source.volumes,
                model=source.model,
                report=source.report,
                priority=new.priority,
                subject=new.subject,
                contrast=new.contrast or source.contrast,
            )
        return CaseAnswer.of(record)

    @router.post("/cases/{case_id}/revisions", status_code=201)
    def revise(
        *,
        case_id: str,
        mask: Path = body,
        lease: Annotated[str, Query(min_length=1, max_length=100)],
        state: Literal["draft", "accepted", "needs_second_reader", "rejected"],
        parent: str | None = None,
        comment: Annotated[str, Query(max_length=2000)] = "",
        weights: Annotated[str | None, Query(max_length=100)] = None,
    ) -> RevisionAnswer:
        """Append a revision: the body is the mask, on the image's grid.

        ``weights`` is the id of an upload on the same grid that says how far each voxel is to be trusted: 0 not at all.
        """
        store.case(case_id)
        with _sent_as({str(mask): "the mask"}):
            lesion = store.read_mask(case_id, mask)
        believed = None if weights is None else _weights(store, case_id, volumes.path(weights))
        return RevisionAnswer.of(
            store.add_revision(
                case_id,
                lesion,
                lease=lease,
                state=state,
                parent=parent or None,
                comment=comment,
                weights=believed,
            )
        )

    @router.post("/cases/{case_id}/results", status_code=201)
    def renew(case_id: str, new: NewResults) -> ResultsAnswer:
        """Keep what a finished job made anew: it belongs to the newest revision with the mask that the job was given.

        Nothing is overwritten; earlier volumes are had by naming an earlier revision.
        """
        store.case(case_id)
        job = jobs.finished(new.job)
        made = _of_job(jobs, new.job)
        with _sent_as({f"{job.folder}/": "the job's "}):
            return ResultsAnswer.of(
                store.add_results(
                    case_id,
                    made.volumes,
                    mask=job.folder / job.files["lesion_mask"],
                    lease=new.lease,
                    model=made.model,
                    report=made.report,
                )
            )

    @router.post("/cases/{case_id}/consensus", status_code=201)
    def agree_on(case_id: str, new: NewConsensus) -> RevisionAnswer:
        """Append what several revisions say together (STAPLE)."""
        store.case(case_id)
        for revision in new.revisions:
            _revision_of(store, case_id, revision)
        return RevisionAnswer.of(agreement.consensus(store, case_id, new.revisions, author=new.author, lease=new.lease))

    return router


def _revision_of(store: Store, case_id: str, revision_id: str) -> RevisionRecord:
    revision = store.revision(revision_id)
    if revision.case_id != store.case(case_id).id:
        raise UnknownCase(f"{case_id}: has no revision {revision_id}; see its history for those that it has")
    return revision


@dataclass(frozen=True)
class _Source:
    """What a new case is made from."""

    image: Path
    mask: Path | None = None
    volumes: Mapping[str, Path] = field(default_factory=dict)
    model: str | None = None
    report: Mapping[str, Any] | None = None
    contrast: str = ""


def _of_upload(volumes: Volumes, new: NewCase) -> _Source:
    if new.volume is None:
        raise Unfit("the case names no volume and no job; upload a volume or name a finished job")
    return _Source(volumes.path(new.volume), model=new.model)


def _of_job(jobs: Jobs, job_id: str) -> _Source:
    job = jobs.finished(job_id)
    files = {name: job.folder / file for name, file in job.files.items()}
    derived = {name: files[name] for name in DERIVED if name in files}
    report = job.report
    mask, model, contrast = files.get("lesion_mask"), report["model"]["name"], report["contrast"] or ""
    return _Source(job.volume, mask, derived, model, report, contrast)


def _weights(store: Store, case_id: str, path: Path) -> NDArray[np.float32]:
    with _sent_as({str(path): "the weights"}):
        return store.read_weights(case_id, path)


def _words(image: Path, mask: Path | None) -> dict[str, str]:
    """What a client calls the files of a new case; a file's name alone stands where others speak of "the scan NAME"."""
    words = {} if mask is None else {str(mask): "the mask"}
    words |= dict.fromkeys((str(image), f"the scan {image.name}", image.name), "the volume")
    return words | {CHOOSE_VOLUME: "send one of them"}


def _file(path: Path, name: str) -> FileResponse:
    return FileResponse(path, media_type="application/gzip", filename=f"{name}.nii.gz")


@contextmanager
def _sent_as(words: Mapping[str, str]) -> Iterator[None]:
    """Faults of uploads name what the client sent, not where the server keeps it."""
    try:
        yield
    except InputError as error:
        said = str(error)
        for ours, theirs in words.items():
            said = said.replace(ours, theirs)
        if said == str(error):
            raise
        raise Unfit(said) from error
