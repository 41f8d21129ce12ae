"""What the engine answers, with names and types."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, field, fields
from typing import Any, TypeVar

from PseudoNormalLib.engine.errors import EngineError
from PseudoNormalLib.i18n import _

Reply = TypeVar("Reply")

FINAL_STATES = ("done", "failed", "cancelled")


@dataclass(frozen=True)
class Health:
    """What an engine says to everybody."""

    name: str
    version: str
    ready: bool


@dataclass(frozen=True)
class EngineStatus:
    """What an engine says of itself.

    :param worker: ``starting``, ``ready``, ``busy`` or ``restarting``.
    :param queued: jobs that wait.
    :param store: whether it serves a case store.
    """

    version: str
    device: str
    devices: tuple[str, ...]
    model: str
    worker: str
    queued: int
    store: bool


@dataclass(frozen=True)
class ModelInfo:
    """A model that the engine has."""

    name: str
    version: str
    description: str
    default: bool = False
    trained_families: tuple[str, ...] = ()
    trained_contrasts: tuple[str, ...] = ()
    licence: str = ""

    def knows(self, contrast: str | None) -> bool:
        """Whether nothing speaks against it for scans of a contrast, as far as both are known."""
        return contrast is None or not self.trained_contrasts or contrast in self.trained_contrasts


@dataclass(frozen=True)
class JobStatus:
    """How far a job is.

    :param progress: 0 to 1.
    :param seconds_left: None where nobody knows.
    :param position: jobs that come first, None once it runs.
    :param log: the lines from the one asked for on.
    :param next: the number of the line to ask for next.
    :param error: one line, when it failed.
    :param result: ``report`` and ``files`` (names by what they are), when it is done.
    """

    id: str
    kind: str
    state: str
    progress: float = 0.0
    message: str = ""
    seconds_left: float | None = None
    position: int | None = None
    log: tuple[str, ...] = ()
    next: int = 0
    error: str | None = None
    result: dict[str, Any] | None = None

    @property
    def finished(self) -> bool:
        """Whether nothing more will happen."""
        return self.state in FINAL_STATES


@dataclass(frozen=True)
class CaseInfo:
    """A case of the store, as its list shows it; volume in ml, times as ISO 8601."""

    id: str
    status: str
    priority: float | None = None
    revisions: int = 0
    findings: int = 0
    contrast: str | None = None
    volume_ml: float | None = None
    head: str | None = None
    leased_by: str | None = None
    lease_until: str | None = None
    updated: str = ""


@dataclass(frozen=True)
class CasePage:
    """Some of the cases that a question found, and how many it found in all."""

    cases: tuple[CaseInfo, ...]
    total: int


@dataclass(frozen=True)
class RevisionInfo:
    """One saved state of a case's mask.

    :param weights_sha256: of the voxel weights that belong to it; None where all voxels count.
    """

    id: str
    number: int
    state: str
    author: str
    created: str
    parent: str | None = None
    model: str | None = None
    comment: str = ""
    mask_sha256: str = ""
    weights_sha256: str | None = None


@dataclass(frozen=True)
class ResultsInfo:
    """What was made anew of a case, and the revision to whose mask it belongs."""

    id: str
    revision_id: str
    number: int
    author: str
    created: str
    model: str | None = None


@dataclass(frozen=True)
class CaseDetails:
    """A case with its history, oldest revision first, and the names of its volumes."""

    info: CaseInfo
    history: tuple[RevisionInfo, ...] = ()
    volumes: tuple[str, ...] = ()
    report: dict[str, Any] | None = None


@dataclass(frozen=True)
class Lease:
    """The right to save revisions of a case for a while.

    :param lease: its token.
    :param expires: ISO 8601.
    """

    case: CaseInfo
    lease: str = field(repr=False)
    expires: str


@dataclass(frozen=True)
class Agreement:
    """How far two revisions agree; volumes in ml, distance in mm (None where one of them is empty)."""

    dice: float
    volume_a_ml: float
    volume_b_ml: float
    hausdorff95_mm: float | None = None


def parse(kind: type[Reply], answer: Any) -> Reply:
    """An answer as a dataclass; what a newer engine says beyond it is left out.

    :raises EngineError: something is missing.
    """
    known = fields(kind)
    missing = [
        one.name
        for one in known
        if one.default is MISSING
        and one.default_factory is MISSING
        and (not isinstance(answer, dict) or one.name not in answer)
    ]
    if missing or not isinstance(answer, dict):
        line = _("The engine's answer lacks “{name}”; is it another version, or another program?")
        raise EngineError(line.format(name=missing[0] if missing else kind.__name__))
    given = {one.name: answer[one.name] for one in known if one.name in answer}
    return kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in given.items()})


def parse_details(answer: Any) -> CaseDetails:
    """A case with its history.

    :raises EngineError: something is missing.
    """
    info = parse(CaseInfo, answer)
    history = tuple(parse(RevisionInfo, revision) for revision in answer.get("history", ()))
    return CaseDetails(info, history, tuple(answer.get("volumes", ())), answer.get("report"))


def parse_lease(answer: Any) -> Lease:
    """A lease and its case.

    :raises EngineError: something is missing.
    """
    lease = parse(Lease, answer)
    return Lease(parse(CaseInfo, lease.case), lease.lease, lease.expires)
