"""The tables as they are now; ``migrations/versions`` says how they came to be."""

from __future__ import annotations

from datetime import datetime, timezone

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.engine import Dialect


class UtcTime(TypeDecorator[datetime]):
    """A moment. Databases without time zones keep it in UTC; what comes back always has its zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To UTC."""
        return None if value is None else value.astimezone(timezone.utc)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """From UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=timezone.utc) if value.tzinfo is None else value.astimezone(timezone.utc)


metadata = MetaData()

cases = Table(
    "cases",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("created", UtcTime, nullable=False),
    Column("priority", Float),
    Column("contrast", String(100), nullable=False),
    Column("subject", String(40), index=True),
    Column("model", String(100)),
    Column("synthetic", Boolean, nullable=False),
    # The image's grid: what Geometry holds, so that nobody reads a whole scan to know its shape.
    Column("geometry", JSON, nullable=False),
    Column("report", JSON(none_as_null=True)),
)

volumes = Table(
    "volumes",
    metadata,
    Column("case_id", String(40), ForeignKey("cases.id"), primary_key=True),
    Column("name", String(40), primary_key=True),
    Column("sha256", String(64), nullable=False, index=True),
)

revisions = Table(
    "revisions",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("case_id", String(40), ForeignKey("cases.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("state", String(40), nullable=False),
    Column("author", String(100), nullable=False),
    Column("parent", String(40), ForeignKey("revisions.id"), unique=True),
    Column("model", String(100)),
    Column("comment", Text, nullable=False),
    Column("created", UtcTime, nullable=False),
    Column("mask_sha256", String(64), nullable=False),
    Column("weights_sha256", String(64)),
    Column("findings", Integer, nullable=False),
    Column("volume_ml", Float, nullable=False),
    # The database itself refuses a second revision made from the same parent.
    UniqueConstraint("case_id", "number"),
)

# Made anew for a revision's mask, when what the case came with did not fit it any more.
results = Table(
    "results",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("revision_id", String(40), ForeignKey("revisions.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("author", String(100), nullable=False),
    Column("model", String(100)),
    Column("created", UtcTime, nullable=False),
    Column("report", JSON(none_as_null=True)),
    UniqueConstraint("revision_id", "number"),
)

result_volumes = Table(
    "result_volumes",
    metadata,
    Column("results_id", String(40), ForeignKey("results.id"), primary_key=True),
    Column("name", String(40), primary_key=True),
    Column("sha256", String(64), nullable=False, index=True),
)

leases = Table(
    "leases",
    metadata,
    # One a case: taking an expired one replaces it.
    Column("case_id", String(40), ForeignKey("cases.id"), primary_key=True),
    Column("token", String(64), nullable=False, unique=True),
    Column("annotator", String(100), nullable=False),
    Column("expires", UtcTime, nullable=False),
    # The window that has the case open; one annotator may have several.
    Column("sitting", String(100), nullable=False, server_default=""),
)

splits = Table(
    "splits",
    metadata,
    # A subject's pseudonym, or a case's id where the person is not known. Append-only.
    Column("subject", String(40), primary_key=True),
    Column("split", String(20), nullable=False),
    Column("decided", UtcTime, nullable=False),
)
