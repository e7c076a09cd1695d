"""What is heard without a mention: by the preset, by what people told the bot in a place; and answers to be stopped."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("presets", sa.Column("follow", sa.String(16)))
    op.add_column("turns", sa.Column("stopping", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "stances",
        sa.Column("place", sa.String(255), nullable=False),
        sa.Column("muted", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("left", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("told", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("changed_by", sa.String(255), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("place", name="pk_stances"),
    )


def downgrade() -> None:
    op.drop_table("stances")
    op.drop_column("turns", "stopping")
    op.drop_column("presets", "follow")
