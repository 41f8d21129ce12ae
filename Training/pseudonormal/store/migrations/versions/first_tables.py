"""The first tables: cases, volumes, revisions (append-only), leases."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from pseudonormal.store.dialects import append_only

revision = "0001"
down_revision = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """From nothing."""
    op.create_table(
        "cases",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("created", _MOMENT, nullable=False),
        sa.Column("priority", sa.Float),
        sa.Column("contrast", sa.String(100), nullable=False),
        sa.Column("subject", sa.String(40), index=True),
        sa.Column("model", sa.String(100)),
        sa.Column("synthetic", sa.Boolean, nullable=False),
        sa.Column("geometry", sa.JSON, nullable=False),
        sa.Column("report", sa.JSON),
    )
    op.create_table(
        "volumes",
        sa.Column("case_id", sa.String(40), sa.ForeignKey("cases.id"), primary_key=True),
        sa.Column("name", sa.String(40), primary_key=True),
        sa.Column("sha256", sa.String(64), nullable=False, index=True),
    )
    op.create_table(
        "revisions",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("case_id", sa.String(40), sa.ForeignKey("cases.id"), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("author", sa.String(100), nullable=False),
        sa.Column("parent", sa.String(40), sa.ForeignKey("revisions.id"), unique=True),
        sa.Column("model", sa.String(100)),
        sa.Column("comment", sa.Text, nullable=False),
        sa.Column("created", _MOMENT, nullable=False),
        sa.Column("mask_sha256", sa.String(64), nullable=False),
        sa.Column("weights_sha256", sa.String(64)),
        sa.Column("findings", sa.Integer, nullable=False),
        sa.Column("volume_ml", sa.Float, nullable=False),
        sa.UniqueConstraint("case_id", "number"),
    )
    op.create_table(
        "leases",
        sa.Column("case_id", sa.String(40), sa.ForeignKey("cases.id"), primary_key=True),
        sa.Column("token", sa.String(64), nullable=False, unique=True),
        sa.Column("annotator", sa.String(100), nullable=False),
        sa.Column("expires", _MOMENT, nullable=False),
    )
    for statement in append_only("revisions", op.get_context().dialect.name):
        op.execute(statement)
