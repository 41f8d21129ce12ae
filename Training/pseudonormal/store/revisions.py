"""Revisions in the database: appended, looked up, never touched again."""

from __future__ import annotations

from datetime import datetime
from typing import Any, get_args

from sqlalchemy import Connection, RowMapping, insert, select

from pseudonormal.errors import InputError
from pseudonormal.store.errors import Conflict, UnknownCase
from pseudonormal.store.identity import new_id
from pseudonormal.store.records import RevisionRecord, State
from pseudonormal.store.tables import revisions


def head(connection: Connection, case_id: str) -> RevisionRecord | None:
    """The case's newest revision."""
    chosen = select(revisions).where(revisions.c.case_id == case_id).order_by(revisions.c.number.desc()).limit(1)
    row = connection.execute(chosen).mappings().one_or_none()
    return None if row is None else _record(row)


def expect_head(connection: Connection, case_id: str, parent: str | None) -> RevisionRecord | None:
    """The case's newest revision, which must be the one that the new mask was made from.

    :raises Conflict: it is another one.
    """
    newest = head(connection, case_id)
    if (newest.id if newest else None) != parent:
        by = f"{newest.author} added {newest.id}" if newest else "the case has no revision yet"
        raise Conflict(f"{case_id}: changed meanwhile ({by}); load the newest revision and apply your changes to it")
    return newest


def add(connection: Connection, revision: RevisionRecord) -> None:
    """Append a revision."""
    connection.execute(insert(revisions).values({c.name: getattr(revision, c.name) for c in revisions.columns}))


def get(connection: Connection, revision_id: str) -> RevisionRecord:
    """A revision.

    :raises UnknownCase: there is none of this id.
    """
    chosen = select(revisions).where(revisions.c.id == revision_id)
    row = connection.execute(chosen).mappings().one_or_none()
    if row is None:
        raise UnknownCase(f"{revision_id}: there is no such revision; pseudonormal cases show names a case's")
    return _record(row)


def with_mask(connection: Connection, case_id: str, mask_sha256: str) -> RevisionRecord:
    """The newest revision of a case that has this very mask.

    :raises InputError: there is none.
    """
    same = (revisions.c.case_id == case_id, revisions.c.mask_sha256 == mask_sha256)
    chosen = select(revisions).where(*same).order_by(revisions.c.number.desc()).limit(1)
    row = connection.execute(chosen).mappings().one_or_none()
    if row is None:
        raise InputError(f"{case_id}: no revision has the mask that the results were made for; save the mask first")
    return _record(row)


def history(connection: Connection, case_id: str) -> list[RevisionRecord]:
    """A case's revisions, oldest first."""
    chosen = select(revisions).where(revisions.c.case_id == case_id).order_by(revisions.c.number)
    return [_record(row) for row in connection.execute(chosen).mappings()]


def checked_state(state: str) -> None:
    """Check that people may add revisions of this state.

    :raises InputError: they may not.
    """
    known = [known for known in get_args(State) if known != "seed"]
    if state not in known:
        raise InputError(f"state {state}: not known; name one of {', '.join(known)}")


def following(before: RevisionRecord | None, case_id: str, created: datetime, **facts: Any) -> RevisionRecord:
    """The revision that comes after another one, or the first one.

    :param facts: the remaining fields of :class:`RevisionRecord`.
    """
    number, parent = (before.number + 1, before.id) if before else (1, None)
    return RevisionRecord(id=new_id("rev", 12), case_id=case_id, number=number, parent=parent, created=created, **facts)


def _record(row: RowMapping) -> RevisionRecord:
    return RevisionRecord(**row)
