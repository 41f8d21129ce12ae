"""Results that were made anew for a revision's mask, in the database: appended, looked up, never touched again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, func, insert, or_, select

from pseudonormal.store import cases, revisions
from pseudonormal.store.errors import UnknownCase
from pseudonormal.store.records import ResultsRecord
from pseudonormal.store.tables import result_volumes, results
from pseudonormal.store.tables import revisions as revision_table


def add(
    connection: Connection, record: ResultsRecord, report: Mapping[str, Any] | None, volumes: Mapping[str, str]
) -> None:
    """Append results.

    :param volumes: SHA-256 by name.
    """
    facts = {name: getattr(record, name) for name in ("id", "revision_id", "number", "author", "model", "created")}
    connection.execute(insert(results).values(**facts, report=report))
    rows = [{"results_id": record.id, "name": name, "sha256": sha256} for name, sha256 in volumes.items()]
    connection.execute(insert(result_volumes), rows)


def next_number(connection: Connection, revision_id: str) -> int:
    """The number of a revision's next results, from 1."""
    newest = select(func.max(results.c.number)).where(results.c.revision_id == revision_id)
    return (connection.execute(newest).scalar() or 0) + 1


def volume_hashes(connection: Connection, case_id: str, revision_id: str | None = None) -> dict[str, str]:
    """SHA-256 of the case's volumes by name, the image first, as they stood at a revision.

    The volumes beside the image are those of one and the same results: those made for the revision's very mask, else
    the last ones made for an earlier revision, else what the case came with.

    :param revision_id: None: the newest revision.
    :raises UnknownCase: there is no such case, or it has no such revision.
    """
    came = cases.volume_hashes(connection, case_id)
    found = _results_at(connection, case_id, revision_id)
    if found is None:
        return came
    chosen = select(result_volumes.c.name, result_volumes.c.sha256).where(result_volumes.c.results_id == found)
    rows = connection.execute(chosen.order_by(result_volumes.c.name))
    return {cases.IMAGE: came[cases.IMAGE]} | {row.name: row.sha256 for row in rows}


def report(connection: Connection, case_id: str) -> dict[str, Any] | None:
    """The report that belongs to the volumes of the newest revision.

    :raises UnknownCase: there is no such case.
    """
    came = cases.report(connection, case_id)
    found = _results_at(connection, case_id, None)
    if found is None:
        return came
    kept: dict[str, Any] | None = connection.execute(select(results.c.report).where(results.c.id == found)).scalar()
    return kept


def _results_at(connection: Connection, case_id: str, revision_id: str | None) -> str | None:
    """Id of the results that stood at a revision; None: those that the case came with."""
    at = revisions.head(connection, case_id) if revision_id is None else revisions.get(connection, revision_id)
    if at is None:
        return None
    if at.case_id != case_id:
        raise UnknownCase(f"{case_id}: has no revision {revision_id}; see its history for those that it has")
    same_mask = revision_table.c.mask_sha256 == at.mask_sha256
    chosen = (
        select(results.c.id)
        .join(revision_table)
        .where(revision_table.c.case_id == case_id, or_(same_mask, revision_table.c.number <= at.number))
        .order_by(same_mask.desc(), revision_table.c.number.desc(), results.c.number.desc())
        .limit(1)
    )
    found: str | None = connection.execute(chosen).scalar()
    return found
