"""Results that were made anew for a revision's mask (append-only), and their volumes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from pseudonormal.store.dialects import append_only

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """From 0002."""
    op.create_table(
        "results",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("revision_id", sa.String(40), sa.ForeignKey("revisions.id"), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("author", sa.String(100), nullable=False),
        sa.Column("model", sa.String(100)),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("report", sa.JSON),
        sa.UniqueConstraint("revision_id", "number"),
    )
    op.create_table(
        "result_volumes",
        sa.Column("results_id", sa.String(40), sa.ForeignKey("results.id"), primary_key=True),
        sa.Column("name", sa.String(40), primary_key=True),
        sa.Column("sha256", sa.String(64), nullable=False, index=True),
    )
    for table in ("results", "result_volumes"):
        for statement in append_only(table, op.get_context().dialect.name):
            op.execute(statement)
