"""Alembic's entry: runs in the transaction that storage.migrate has opened and locked."""

from __future__ import annotations

from alembic import context

from storage.tables import Table

context.configure(connection=context.config.attributes["connection"], target_metadata=Table.metadata)
context.run_migrations()
