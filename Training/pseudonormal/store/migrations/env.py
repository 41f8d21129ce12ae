"""Alembic's way in: the store hands over its connection, within a transaction of its own."""

from __future__ import annotations

from alembic import context

from pseudonormal.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
