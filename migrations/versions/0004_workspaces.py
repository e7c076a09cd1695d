"""In which workspace a question was asked, to count what is open there, and what of it one person's is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("turns", sa.Column("workspace", sa.String(255)))
    op.create_index(
        "ix_turns_open_in_workspace",
        "turns",
        ["workspace", "asker"],
        sqlite_where=sa.text("shown = 0"),
        postgresql_where=sa.text("NOT shown"),
    )


def downgrade() -> None:
    op.drop_index("ix_turns_open_in_workspace", "turns")
    op.drop_column("turns", "workspace")
