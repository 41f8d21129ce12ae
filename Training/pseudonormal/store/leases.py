"""Leases: one annotator a case, for a while. Whoever vanishes gives the case back by doing nothing."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, or_, select, update

from pseudonormal.store import cases
from pseudonormal.store.errors import Leased, LeaseExpired
from pseudonormal.store.records import CaseRecord, LeaseRecord
from pseudonormal.store.tables import leases


def take_next(connection: Connection, annotator: str, now: datetime, time: timedelta) -> LeaseRecord | None:
    """Lease the first case in turn that waits for this annotator; None when none does.

    Waiting: new cases, drafts, and those that need a second reader; not those of which this annotator said so, even
    if somebody has begun to draw since. A case that anyone holds, this annotator included, is passed over.
    """
    waiting = or_(*(cases.has_status(status) for status in ("new", "draft", "needs_second_reader")))
    free = cases.listing(now).where(leases.c.token.is_(None), waiting, ~cases.needs_another_than(annotator))
    free = free.order_by(*cases.IN_TURN).limit(1)
    row = connection.execute(free).one_or_none()
    return None if row is None else _grant(connection, cases.record(row), annotator, now, time)


def take(connection: Connection, case_id: str, annotator: str, now: datetime, time: timedelta) -> LeaseRecord:
    """Lease a case. An annotator who holds it already gets a new token and the earlier one ends.

    :raises UnknownCase: there is no such case.
    :raises Leased: another annotator holds it.
    """
    case = cases.get(connection, case_id, now)
    if case.leased_by not in (None, annotator):
        until = f"{case.lease_until:%H:%M} UTC" if case.lease_until else "later"
        raise Leased(f"{case_id}: {case.leased_by} works on it until {until}; take another case")
    return _grant(connection, case, annotator, now, time)


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


def _grant(connection: Connection, case: CaseRecord, annotator: str, now: datetime, time: timedelta) -> LeaseRecord:
    connection.execute(delete(leases).where(leases.c.case_id == case.id))
    token, expires = secrets.token_urlsafe(24), now + time
    row = {"case_id": case.id, "token": token, "annotator": annotator, "expires": expires}
    connection.execute(insert(leases).values(row))
    return live(connection, token, now)
