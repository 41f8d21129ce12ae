"""The subjects' splits in the database: added, never changed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, insert, select

from pseudonormal.store.records import Split
from pseudonormal.store.tables import splits


def known(connection: Connection) -> dict[str, Split]:
    """The split of every subject that has one."""
    return {row.subject: row.split for row in connection.execute(select(splits.c.subject, splits.c.split))}


def add(connection: Connection, wanted: Mapping[str, Split], now: datetime) -> None:
    """Keep the splits of those subjects that have none yet."""
    decided = known(connection)
    rows = [
        {"subject": subject, "split": split, "decided": now}
        for subject, split in wanted.items()
        if subject not in decided
    ]
    if rows:
        connection.execute(insert(splits), rows)
