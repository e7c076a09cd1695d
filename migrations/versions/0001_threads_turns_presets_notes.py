"""Threads, turns, presets and notes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_RowNumber = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "threads",
        sa.Column("id", sa.String(255), nullable=False),
        sa.Column("chat", sa.String(32), nullable=False),
        sa.Column("within", sa.JSON, nullable=False),
        sa.Column("conversation", sa.String(255)),
        sa.Column("model", sa.String(255), nullable=False, server_default=""),
        sa.Column("epoch", sa.Integer, nullable=False, server_default="0"),
        sa.Column("forgotten", sa.BigInteger, nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("id", name="pk_threads"),
    )
    _create_turns()
    op.create_table(
        "presets",
        sa.Column("place", sa.String(255), nullable=False),
        sa.Column("name", sa.String(64)),
        sa.Column("model", sa.String(255)),
        sa.Column("instructions", sa.Text),
        sa.Column("changed_by", sa.String(255), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("place", name="pk_presets"),
    )
    op.create_table(
        "notes",
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_notes"),
    )


def _create_turns() -> None:
    op.create_table(
        "turns",
        sa.Column("id", _RowNumber, autoincrement=True, nullable=False),
        sa.Column("key", sa.String(255), nullable=False),
        sa.Column("thread", sa.String(255), nullable=False),
        sa.Column("asker", sa.String(255), nullable=False),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("references", sa.JSON, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("answer", sa.Text, nullable=False, server_default=""),
        sa.Column("problem", sa.Text, nullable=False, server_default=""),
        sa.Column("aside", sa.Text, nullable=False, server_default=""),
        sa.Column("revised", sa.Text, nullable=False, server_default=""),
        sa.Column("withdrawn", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("reply", sa.Text, nullable=False, server_default=""),
        sa.Column("shown", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("gave_up", sa.String(255), nullable=False, server_default=""),
        sa.Column("interruptions", sa.Integer, nullable=False, server_default="0"),
        sa.Column("attempt", sa.Integer, nullable=False, server_default="0"),
        sa.Column("model", sa.String(255), nullable=False, server_default=""),
        sa.Column("reference", sa.String(32), nullable=False),
        sa.Column("trace", sa.String(255), nullable=False, server_default=""),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name="pk_turns"),
        sa.UniqueConstraint("key", name="uq_turns_key"),
        sa.ForeignKeyConstraint(["thread"], ["threads.id"], name="fk_turns_thread", ondelete="CASCADE"),
    )
    op.create_index("ix_turns_thread_id", "turns", ["thread", "id"])
    op.create_index(
        "ix_turns_open",
        "turns",
        ["thread", "id"],
        sqlite_where=sa.text("shown = 0"),
        postgresql_where=sa.text("NOT shown"),
    )


def downgrade() -> None:
    for table in ("notes", "presets", "turns", "threads"):
        op.drop_table(table)
