"""Alembic's entry: runs on the connection that `core.migrations` hands over."""

from alembic import context

from core.db import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=False)
with context.begin_transaction():
    context.run_migrations()
