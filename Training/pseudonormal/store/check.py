"""Verify that everything the store promised is still there, bit for bit."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from sqlalchemy import Connection, select, union_all

from pseudonormal.store import dialects
from pseudonormal.store.blobs import Blobs, hash_of
from pseudonormal.store.cases import IMAGE
from pseudonormal.store.database import Database
from pseudonormal.store.identity import Secret
from pseudonormal.store.records import Problem
from pseudonormal.store.results import PSEUDO_NORMAL
from pseudonormal.store.tables import cases, result_volumes, results, revisions, volumes


def check(database: Database, blobs: Blobs, secret: Secret) -> list[Problem]:
    """Verify every file against its hash and every link between rows.

    :returns: errors first. Warnings are what interrupted processes, or those at work right now, leave; they harm
        nobody.
    """
    # Listed before the database is read: whatever it names by then has been there before.
    present = blobs.files()
    with database.reading() as connection:
        problems = [Problem("error", "database", words) for words in dialects.damage(connection)]
        problems += _broken_links(connection)
        problems += _broken_cases(connection, secret)
        problems += _broken_results(connection)
        named = _named(connection)
    problems += _damaged(blobs, named)
    wanted = {blobs.path(sha256) for sha256 in named}
    problems += [
        Problem("warning", path.name, "no case names this file; an interrupted or refused save left it")
        for path in present
        if path not in wanted
    ]
    problems += [
        Problem("warning", path.name, "is unfinished; an interrupted process left it") for path in blobs.left_behind()
    ]
    return sorted(problems, key=lambda problem: problem.severity)


def _named(connection: Connection) -> dict[str, str]:
    """What each file that the database names is."""
    renewed = select(result_volumes.c.sha256, (result_volumes.c.results_id + " " + result_volumes.c.name).label("of"))
    weights = select(revisions.c.weights_sha256, revisions.c.id.label("of"))
    every = union_all(
        select(volumes.c.sha256.label("sha256"), (volumes.c.case_id + " " + volumes.c.name).label("of")),
        select(revisions.c.mask_sha256, revisions.c.id.label("of")),
        renewed,
        weights.where(revisions.c.weights_sha256.is_not(None)),
    )
    return {row.sha256: row.of for row in connection.execute(every)}


def _damaged(blobs: Blobs, named: dict[str, str]) -> Iterator[Problem]:
    for sha256, of in named.items():
        try:
            if hash_of(blobs.path(sha256)) != sha256:
                yield Problem("error", of, f"its file {sha256} has been changed; restore it from a backup")
        except OSError as error:
            said = "is missing" if isinstance(error, FileNotFoundError) else f"cannot be read ({error.strerror})"
            yield Problem("error", of, f"its file {sha256} {said}; restore it from a backup")


def _broken_links(connection: Connection) -> Iterator[Problem]:
    """Revisions of a case are numbered from 1 and each names the one before as its parent."""
    columns = (revisions.c.case_id, revisions.c.number, revisions.c.id, revisions.c.parent)
    rows = connection.execute(select(*columns).order_by(*columns[:2]))
    for case_id, history in groupby(rows, key=lambda row: row.case_id):
        before = None
        for number, row in enumerate(history, 1):
            if row.number != number:
                yield Problem("error", case_id, f"revision {number} is missing")
                break
            if row.parent != before:
                yield Problem("error", row.id, f"names {row.parent} as its parent where {before} is meant")
            before = row.id


def _broken_results(connection: Connection) -> Iterator[Problem]:
    """Results of a revision are numbered from 1, and none is without its pseudo-normal."""
    whole = select(result_volumes.c.results_id).where(result_volumes.c.name == PSEUDO_NORMAL)
    for row in connection.execute(select(results.c.id).where(results.c.id.not_in(whole))):
        yield Problem("error", row.id, "has no pseudo-normal")
    columns = (results.c.revision_id, results.c.number)
    rows = connection.execute(select(*columns).order_by(*columns))
    for revision_id, made in groupby(rows, key=lambda row: row.revision_id):
        if any(row.number != number for number, row in enumerate(made, 1)):
            yield Problem("error", revision_id, "some of its results are missing")


def _broken_cases(connection: Connection, secret: Secret) -> Iterator[Problem]:
    with_image = select(volumes.c.case_id).where(volumes.c.name == IMAGE)
    for row in connection.execute(select(cases.c.id).where(cases.c.id.not_in(with_image))):
        yield Problem("error", row.id, "has no image")
    if not secret.path.exists() and connection.execute(select(cases.c.id).where(cases.c.subject.is_not(None))).first():
        message = "is missing: further scans of known subjects cannot be told to be theirs; restore it from a backup"
        yield Problem("error", secret.path.name, message)
