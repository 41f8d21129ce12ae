"""A lease belongs to one of its annotator's windows."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Leases of before belong to the window that has no name."""
    op.add_column("leases", sa.Column("sitting", sa.String(100), nullable=False, server_default=""))
