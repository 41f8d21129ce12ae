"""All that differs between SQLite and PostgreSQL."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import URL

BUSY_SECONDS = 60
# SQLite's own words, and what to do about it.
_REFUSALS = {
    "disk is full": "the disk is full; free some space",
    "disk i/o error": "the disk is full or fails; free some space and run pseudonormal cases check",
    "readonly database": "no right to write there; change the rights or choose another store",
    "unable to open database": "the database cannot be opened; change the rights or choose another store",
    "locked": f"another program has held the database for {BUSY_SECONDS} s; try again",
    "malformed": "the database is damaged; restore it from a backup",
    "not a database": "the file is not a database; restore it from a backup",
}


def sqlite_url(path: Path) -> URL:
    """The address of a database file."""
    return URL.create("sqlite", database=str(path))


def prepare(engine: Engine) -> None:
    """Make SQLite keep its promises on every connection; PostgreSQL keeps them unasked."""
    if engine.dialect.name != "sqlite":
        return

    @event.listens_for(engine, "connect")
    def _set_up(connection: sqlite3.Connection, _: Any) -> None:
        connection.isolation_level = None  # the driver must not begin or commit behind our back
        connection.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")  # a commit lasts through a power cut
        connection.execute("PRAGMA foreign_keys = ON")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def claim_writing(connection: Connection) -> None:
    """One writer at a time, readers go on. SQLite has begun so; PostgreSQL is told."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("LOCK TABLE cases IN EXCLUSIVE MODE")


def append_only(table: str, dialect: str) -> list[str]:
    """Statements that make a database refuse to change or remove rows of a table."""
    words = f"{table} are append-only"
    if dialect == "sqlite":
        return [
            f"CREATE TRIGGER {table}_no_{verb} BEFORE {verb} ON {table} BEGIN SELECT RAISE(ABORT, '{words}'); END"
            for verb in ("update", "delete")
        ]
    refuse = f"LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '{words}'; END $$"
    verbs = "UPDATE OR DELETE OR TRUNCATE"
    return [
        f"CREATE FUNCTION {table}_refuse() RETURNS trigger {refuse}",
        f"CREATE TRIGGER {table}_kept BEFORE {verbs} ON {table} EXECUTE FUNCTION {table}_refuse()",
    ]


def damage(connection: Connection) -> list[str]:
    """What SQLite finds wrong with its own file and its foreign keys."""
    if connection.dialect.name != "sqlite":
        return []
    pages = [str(row[0]) for row in connection.exec_driver_sql("PRAGMA integrity_check") if row[0] != "ok"]
    links = [
        f"a row of {row[0]} names a row of {row[2]} that is not there"
        for row in connection.exec_driver_sql("PRAGMA foreign_key_check")
    ]
    return pages + links


def refusal(error: Exception) -> str | None:
    """What the user can do about a database's refusal; None when it is a defect of ours."""
    said = str(error).lower()
    return next((words for mark, words in _REFUSALS.items() if mark in said), None)
