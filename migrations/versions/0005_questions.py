"""Who asks, what their message quotes, and who is to see question and answer."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("turns", sa.Column("asker_name", sa.Text(), nullable=False, server_default=""))
    op.add_column("turns", sa.Column("quotes", sa.JSON()))
    op.add_column("turns", sa.Column("private", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("turns", sa.Column("unseen", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    for name in ("unseen", "private", "quotes", "asker_name"):
        op.drop_column("turns", name)
