"""The split of each subject, decided once (append-only)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from pseudonormal.store.dialects import append_only

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """A new table; nobody has a split yet."""
    op.create_table(
        "splits",
        sa.Column("subject", sa.String(40), primary_key=True),
        sa.Column("split", sa.String(20), nullable=False),
        sa.Column("decided", sa.DateTime(timezone=True), nullable=False),
    )
    for statement in append_only("splits", op.get_context().dialect.name):
        op.execute(statement)
