"""What the store tells: cases, revisions, leases and what a check found. Plain values, no database behind them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Status = Literal["new", "draft", "accepted", "needs_second_reader", "rejected", "synthetic"]
State = Literal["seed", "draft", "accepted", "needs_second_reader", "rejected", "consensus"]
Split = Literal["train", "validation", "test"]


@dataclass(frozen=True)
class CaseRecord:
    """A case as it stands now.

    :param id: pseudonym, drawn at random.
    :param status: follows from the newest revision: none or a seed is "new", a draft or a consensus that nobody has
        accepted is "draft". A scan that a network made is "synthetic" whatever its revisions are, unless rejected.
    :param priority: the higher, the sooner it is given out; None comes last.
    :param contrast: kind of scan, for instance "T1w"; empty when not known.
    :param subject: pseudonym of the person, equal for all scans of a person; None when not known.
    :param model: name of the model that proposed the seed mask.
    :param synthetic: whether a network made the scan.
    :param created: when it was added (UTC).
    :param updated: when its newest revision was added, or the case itself (UTC).
    :param revisions: how many there are.
    :param head: the newest revision's id.
    :param findings: connected lesions in the newest mask.
    :param volume_ml: volume of the newest mask.
    :param leased_by: the annotator who holds the case now.
    :param lease_until: when that ends (UTC).
    """

    id: str
    status: Status
    priority: float | None
    contrast: str
    subject: str | None
    model: str | None
    synthetic: bool
    created: datetime
    updated: datetime
    revisions: int = 0
    head: str | None = None
    findings: int = 0
    volume_ml: float = 0.0
    leased_by: str | None = None
    lease_until: datetime | None = None


@dataclass(frozen=True)
class RevisionRecord:
    """One saved state of a case's mask. Never changed, never removed.

    :param number: 1, 2, 3 ... within the case.
    :param author: the annotator; of a seed the model, or "imported".
    :param parent: the revision that this one was made from: the case's newest at that time.
    :param model: name of the model that proposed the seed.
    :param created: UTC.
    :param mask_sha256: of the mask file's bytes.
    :param weights_sha256: of the file with voxel weights (0 where a reviewer does not trust); None where all count.
    :param findings: connected lesions in the mask.
    :param volume_ml: the mask's volume.
    """

    id: str
    case_id: str
    number: int
    state: State
    author: str
    parent: str | None
    model: str | None
    comment: str
    created: datetime
    mask_sha256: str
    weights_sha256: str | None
    findings: int
    volume_ml: float


@dataclass(frozen=True)
class ResultsRecord:
    """What was made anew of a case's image for one revision's mask. Never changed, never removed.

    :param revision_id: the newest revision with that mask when they came.
    :param number: 1, 2, 3 ... within the revision.
    :param author: the annotator who had them made.
    :param model: name of the model that made them.
    :param created: UTC.
    """

    id: str
    case_id: str
    revision_id: str
    number: int
    author: str
    model: str | None
    created: datetime


@dataclass(frozen=True)
class LeaseRecord:
    """The right of one annotator to add revisions to one case for a while.

    :param token: secret of the lease.
    :param expires: UTC.
    """

    case: CaseRecord
    token: str
    annotator: str
    expires: datetime


@dataclass(frozen=True)
class Problem:
    """Something that a check found.

    :param severity: "error" when something is lost or changed; "warning" for what an interrupted process left behind.
    :param where: the case, revision or file.
    """

    severity: Literal["error", "warning"]
    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.severity}: {self.where}: {self.message}"
