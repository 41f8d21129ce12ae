"""Cases in the database: add, look up, list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, get_args

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, exists, func, insert, or_, select, update

from pseudonormal.errors import InputError
from pseudonormal.scan.scan import Geometry
from pseudonormal.store.errors import UnknownCase
from pseudonormal.store.records import CaseRecord, State, Status
from pseudonormal.store.tables import cases, leases, revisions, volumes

IMAGE = "image"
# A consensus is computed: until a person accepts it, it is a draft.
STATUS_OF: dict[State | None, Status] = {
    None: "new",
    "seed": "new",
    "draft": "draft",
    "consensus": "draft",
    "accepted": "accepted",
    "needs_second_reader": "needs_second_reader",
    "rejected": "rejected",
}
SYNTHETIC: Status = "synthetic"
# States that decide nothing: what was decided before stands while somebody draws on.
UNDECIDED: tuple[State, ...] = ("seed", "draft", "consensus")
# The order in which cases are given out, and listed.
IN_TURN = (cases.c.priority.desc().nulls_last(), cases.c.created, cases.c.id)

_counted = revisions.alias("counted")
_newest = select(func.max(_counted.c.number)).where(_counted.c.case_id == cases.c.id).correlate(cases)
_decision = revisions.alias("decision")
_newest_decision = _newest.where(_counted.c.state.not_in(UNDECIDED))


@dataclass(frozen=True)
class NewCase:
    """What is written about a case when it is added; nothing of it changes but the priority.

    :param volumes: SHA-256 by name.
    """

    id: str
    created: datetime
    priority: float | None
    contrast: str
    subject: str | None
    model: str | None
    synthetic: bool
    geometry: Geometry
    report: Mapping[str, Any] | None
    volumes: Mapping[str, str]


def add(connection: Connection, case: NewCase) -> None:
    """Add a case with its volumes."""
    values = {column.name: getattr(case, column.name) for column in cases.columns}
    connection.execute(insert(cases).values(values | {"geometry": asdict(case.geometry)}))
    rows = [{"case_id": case.id, "name": name, "sha256": sha256} for name, sha256 in case.volumes.items()]
    connection.execute(insert(volumes), rows)


def get(connection: Connection, case_id: str, now: datetime) -> CaseRecord:
    """A case as it stands.

    :raises UnknownCase: there is none of this id.
    """
    row = connection.execute(listing(now).where(cases.c.id == case_id)).one_or_none()
    if row is None:
        raise UnknownCase(f"{case_id}: there is no such case; pseudonormal cases list shows all")
    return record(row)


def page(
    connection: Connection, now: datetime, status: Status | None, text: str, limit: int, offset: int
) -> tuple[list[CaseRecord], int]:
    """A page of cases in turn, and how many there are in all.

    :raises InputError: the status is not known, or the page is none.
    """
    if limit < 0 or offset < 0:
        raise InputError("limit and offset: give numbers from 0")
    chosen = listing(now)
    if status is not None:
        chosen = chosen.where(has_status(status))
    if text.strip():
        fields = (cases.c.id, cases.c.contrast, cases.c.subject, cases.c.model, revisions.c.author, leases.c.annotator)
        chosen = chosen.where(or_(*(field.icontains(text.strip(), autoescape=True) for field in fields)))
    total = connection.execute(select(func.count()).select_from(chosen.subquery())).scalar_one()
    rows = connection.execute(chosen.order_by(*IN_TURN).limit(limit).offset(offset))
    return [record(row) for row in rows], total


def geometry(connection: Connection, case_id: str) -> Geometry:
    """The image's grid.

    :raises UnknownCase: there is no such case.
    """
    kept = _of(connection, case_id, cases.c.geometry)
    size, spacing, origin, direction = (tuple(kept[name]) for name in ("size", "spacing", "origin", "direction"))
    return Geometry(size, spacing, origin, direction)


def report(connection: Connection, case_id: str) -> dict[str, Any] | None:
    """The report that came with the case.

    :raises UnknownCase: there is no such case.
    """
    kept: dict[str, Any] | None = _of(connection, case_id, cases.c.report)
    return kept


def volume_hashes(connection: Connection, case_id: str) -> dict[str, str]:
    """SHA-256 of the case's volumes by name, the image first.

    :raises UnknownCase: there is no such case.
    """
    rows = connection.execute(select(volumes.c.name, volumes.c.sha256).where(volumes.c.case_id == case_id)).all()
    if not rows:
        raise UnknownCase(f"{case_id}: there is no such case; pseudonormal cases list shows all")
    return {row.name: row.sha256 for row in sorted(rows, key=lambda row: (row.name != IMAGE, row.name))}


def with_image(connection: Connection, sha256: str) -> str | None:
    """Id of the earliest case with this image."""
    found = select(cases.c.id).join(volumes).where(volumes.c.name == IMAGE, volumes.c.sha256 == sha256)
    case_id: str | None = connection.execute(found.order_by(cases.c.created)).scalar()
    return case_id


def set_priority(connection: Connection, case_id: str, priority: float | None) -> None:
    """Say how soon a case is given out."""
    connection.execute(update(cases).where(cases.c.id == case_id).values(priority=priority))


def listing(now: datetime) -> Select[Any]:
    """All cases, each with its newest revision and the lease that is live now."""
    held = and_(leases.c.case_id == cases.c.id, leases.c.expires > now)
    head = and_(revisions.c.case_id == cases.c.id, revisions.c.number == _newest.scalar_subquery())
    return select(
        cases,
        revisions.c.number,
        revisions.c.id.label("head"),
        revisions.c.state,
        revisions.c.created.label("revised"),
        revisions.c.findings,
        revisions.c.volume_ml,
        leases.c.annotator,
        leases.c.expires,
    ).select_from(cases.outerjoin(revisions, head).outerjoin(leases, held))


def has_status(status: Status) -> ColumnElement[bool]:
    """A condition on :func:`listing`.

    :raises InputError: there is no such status.
    """
    if status not in get_args(Status):
        raise InputError(f"status {status}: not known; name one of {', '.join(get_args(Status))}")
    states = [state for state, meant in STATUS_OF.items() if meant == status and state is not None]
    condition: ColumnElement[bool] = revisions.c.state.in_(states)
    if status == "rejected":
        return condition
    if status == SYNTHETIC:
        return and_(cases.c.synthetic, or_(revisions.c.state.is_(None), revisions.c.state != "rejected"))
    if status == STATUS_OF[None]:
        condition = or_(revisions.c.state.is_(None), condition)
    return and_(~cases.c.synthetic, condition)


def needs_another_than(annotator: str) -> ColumnElement[bool]:
    """A condition on :func:`listing`: the newest decision is this annotator's, that someone else shall look."""
    newest = and_(_decision.c.case_id == cases.c.id, _decision.c.number == _newest_decision.scalar_subquery())
    asked = and_(_decision.c.state == "needs_second_reader", _decision.c.author == annotator)
    return exists().where(newest, asked).correlate(cases)


def record(row: Row[Any]) -> CaseRecord:
    """A row of :func:`listing` in the words of the project."""
    return CaseRecord(
        id=row.id,
        status=SYNTHETIC if row.synthetic and row.state != "rejected" else STATUS_OF[row.state],
        priority=row.priority,
        contrast=row.contrast,
        subject=row.subject,
        model=row.model,
        synthetic=row.synthetic,
        created=row.created,
        updated=row.revised or row.created,
        revisions=row.number or 0,
        head=row.head,
        findings=row.findings or 0,
        volume_ml=row.volume_ml or 0.0,
        leased_by=row.annotator,
        lease_until=row.expires,
    )


def _of(connection: Connection, case_id: str, column: ColumnElement[Any]) -> Any:
    row = connection.execute(select(column).where(cases.c.id == case_id)).one_or_none()
    if row is None:
        raise UnknownCase(f"{case_id}: there is no such case; pseudonormal cases list shows all")
    return row[0]
