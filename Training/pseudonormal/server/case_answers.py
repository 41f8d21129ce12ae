"""What the case store's routes take and answer, as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from pseudonormal.store.records import CaseRecord, LeaseRecord, ResultsRecord, RevisionRecord, State, Status

Word = Annotated[str, Field(min_length=1, max_length=100)]


class _Answer(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class CaseAnswer(_Answer):
    """A case; the fields are those of :class:`pseudonormal.store.records.CaseRecord`."""

    id: str
    status: Status
    priority: float | None
    contrast: str
    leased_by: str | None
    lease_until: datetime | None
    revisions: int
    head: str | None
    findings: int
    volume_ml: float
    updated: datetime

    @classmethod
    def of(cls, record: CaseRecord) -> CaseAnswer:
        """The answer for a case."""
        return cls.model_validate(record)


class CasesAnswer(BaseModel):
    """A page of cases, and how many there are in all."""

    cases: list[CaseAnswer]
    total: int


class RevisionAnswer(_Answer):
    """A revision; the fields are those of :class:`pseudonormal.store.records.RevisionRecord`."""

    id: str
    number: int
    state: State
    author: str
    parent: str | None
    model: str | None
    comment: str
    created: datetime
    mask_sha256: str
    weights_sha256: str | None

    @classmethod
    def of(cls, record: RevisionRecord) -> RevisionAnswer:
        """The answer for a revision."""
        return cls.model_validate(record)


class ResultsAnswer(_Answer):
    """Results that a revision has now; the fields are those of :class:`pseudonormal.store.records.ResultsRecord`."""

    id: str
    revision_id: str
    number: int
    author: str
    model: str | None
    created: datetime

    @classmethod
    def of(cls, record: ResultsRecord) -> ResultsAnswer:
        """The answer for results."""
        return cls.model_validate(record)


class WholeCaseAnswer(CaseAnswer):
    """A case with all that is known about it.

    :param history: its revisions, oldest first.
    :param volumes: names of its volumes.
    :param report: the report of its newest results.
    """

    history: list[RevisionAnswer]
    volumes: list[str]
    report: dict[str, Any] | None

    @classmethod
    def with_all(
        cls,
        record: CaseRecord,
        history: Iterable[RevisionRecord],
        volumes: Iterable[str],
        report: dict[str, Any] | None,
    ) -> WholeCaseAnswer:
        """The answer for a case with its history."""
        return cls(
            **CaseAnswer.of(record).model_dump(),
            history=[RevisionAnswer.of(revision) for revision in history],
            volumes=list(volumes),
            report=report,
        )


class LeaseAnswer(BaseModel):
    """A case that the annotator holds now, and the token that says so."""

    case: CaseAnswer
    lease: str
    expires: datetime

    @classmethod
    def of(cls, record: LeaseRecord) -> LeaseAnswer:
        """The answer for a lease."""
        return cls(case=CaseAnswer.of(record.case), lease=record.token, expires=record.expires)


class ExpiryAnswer(BaseModel):
    """Until when a lease holds."""

    expires: datetime


class AgreementAnswer(_Answer):
    """Two revisions held against each other; see :class:`pseudonormal.store.agreement.Agreement`."""

    dice: float
    volume_a_ml: float
    volume_b_ml: float
    hausdorff95_mm: float | None


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class NewCase(_Request):
    """A case to add: an uploaded volume, or a finished job with all that came out of it.

    :param volume: id of the upload; not looked at where a job is named, whose volume is taken.
    :param mask: id of the upload with the seed mask; without one a job's own mask is taken.
    :param job: id of a finished job.
    :param model: name of the model that proposed the mask; a job knows its own.
    :param priority: the higher, the sooner it is reviewed; by default told from the job's report, else from the mask.
    :param subject: any key to the person, so that all scans of one are known as such; only a keyed hash is kept.
    :param contrast: kind of scan, for instance "T1w".
    """

    volume: Word | None = None
    mask: Word | None = None
    job: Word | None = None
    model: Word | None = None
    priority: float | None = None
    subject: Word | None = None
    contrast: Annotated[str, Field(max_length=100)] = ""


class NewResults(_Request):
    """What a finished job made anew for an edited mask, and the lease under which the case keeps it.

    :param job: id of a finished job.
    """

    job: Word
    lease: Word


class Annotator(_Request):
    """Who asks for a case, in which of their windows, and which of those are known to be gone."""

    annotator: Word
    sitting: Annotated[str, Field(max_length=100)] = ""
    ended: Annotated[list[Word], Field(max_length=10_000)] = []


class NewConsensus(_Request):
    """Revisions to be made one, by whom, under which lease."""

    revisions: Annotated[list[Word], Field(min_length=2, max_length=50)]
    author: Word
    lease: Word
