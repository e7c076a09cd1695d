"""What alembic asks for: the connection comes from whoever migrates."""

from __future__ import annotations

from alembic import context

from core.storage.tables import is_ours, metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    include_object=is_ours,
    render_as_batch=True,  # SQLite can't alter columns in place
)
with context.begin_transaction():
    context.run_migrations()
