"""Leases: one window of one annotator a case, for a while. Whoever vanishes gives the case back by doing nothing."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, or_, select, update

from pseudonormal.store import cases
from pseudonormal.store.errors import Leased, LeaseExpired
from pseudonormal.store.records import CaseRecord, LeaseRecord
from pseudonormal.store.tables import leases


@dataclass(frozen=True)
class Holder:
    """Who asks for a case.

    :param sitting: names the window in which it will be open; "" for those who have one only.
    :param ended: windows of which the same computer knows that they are gone: their leases are over.
    """

    annotator: str
    sitting: str = ""
    ended: Collection[str] = ()


def take_next(connection: Connection, holder: Holder, now: datetime, time: timedelta) -> LeaseRecord | None:
    """Lease the first case in turn that waits for this annotator; None when none does.

    Waiting: new cases, drafts, and those that need a second reader; not those of which this annotator said so, even
    if somebody has begun to draw since. A case that anyone holds, this annotator included, is passed over.
    """
    _end(connection, holder)
    annotator = holder.annotator
    waiting = or_(*(cases.has_status(status) for status in ("new", "draft", "needs_second_reader")))
    free = cases.listing(now).where(leases.c.token.is_(None), waiting, ~cases.needs_another_than(annotator))
    free = free.order_by(*cases.IN_TURN).limit(1)
    row = connection.execute(free).one_or_none()
    return None if row is None else _grant(connection, cases.record(row), holder, now, time)


def take(connection: Connection, case_id: str, holder: Holder, now: datetime, time: timedelta) -> LeaseRecord:
    """Lease a case. A window that holds it already gets a new token and the earlier one ends.

    :raises UnknownCase: there is no such case.
    :raises Leased: another annotator holds it, or another window of this one.
    """
    _end(connection, holder)
    case = cases.get(connection, case_id, now)
    until = f"{case.lease_until:%H:%M} UTC" if case.lease_until else "later"
    if case.leased_by not in (None, holder.annotator):
        raise Leased(f"{case_id}: {case.leased_by} works on it until {until}; take another case")
    if case.leased_by is not None and _sitting(connection, case_id) != holder.sitting:
        raise Leased(
            f"{case_id}: {holder.annotator} has it open in another window, which holds it until {until}; "
            "put it away there or take another case"
        )
    return _grant(connection, case, holder, now, time)


def live(connection: Connection, token: str, now: datetime) -> LeaseRecord:
    """The lease of a token.

    :raises LeaseExpired: it is over or never was.
    """
    row = connection.execute(select(leases).where(leases.c.token == token, leases.c.expires > now)).one_or_none()
    if row is None:
        raise LeaseExpired("the lease on the case is over; take the case again")
    return LeaseRecord(cases.get(connection, row.case_id, now), row.token, row.annotator, row.expires)


def live_on(connection: Connection, token: str, case_id: str, now: datetime) -> LeaseRecord:
    """The lease of a token, which must be one of this case.

    :raises UnknownCase: there is no such case.
    :raises LeaseExpired: it is over, never was, or belongs to another case.
    """
    cases.get(connection, case_id, now)
    lease = live(connection, token, now)
    if lease.case.id != case_id:
        raise LeaseExpired(f"{case_id}: the lease belongs to another case; take this case first")
    return lease


def renew(connection: Connection, token: str, now: datetime, time: timedelta) -> LeaseRecord:
    """The same lease from now on.

    :raises LeaseExpired: it is over or never was.
    """
    live(connection, token, now)
    connection.execute(update(leases).where(leases.c.token == token).values(expires=now + time))
    return live(connection, token, now)


def release(connection: Connection, token: str, now: datetime) -> None:
    """Give a case back.

    :raises LeaseExpired: the lease is over or never was.
    """
    live(connection, token, now)
    connection.execute(delete(leases).where(leases.c.token == token))


def _end(connection: Connection, holder: Holder) -> None:
    """Give back what windows had that are gone."""
    gone = leases.c.sitting.in_(set(holder.ended) - {"", holder.sitting})
    connection.execute(delete(leases).where(gone))


def _sitting(connection: Connection, case_id: str) -> str:
    return connection.execute(select(leases.c.sitting).where(leases.c.case_id == case_id)).scalar_one()


def _grant(connection: Connection, case: CaseRecord, holder: Holder, now: datetime, time: timedelta) -> LeaseRecord:
    connection.execute(delete(leases).where(leases.c.case_id == case.id))
    token, expires = secrets.token_urlsafe(24), now + time
    connection.execute(
        insert(leases).values(
            case_id=case.id, token=token, annotator=holder.annotator, expires=expires, sitting=holder.sitting
        )
    )
    return live(connection, token, now)
