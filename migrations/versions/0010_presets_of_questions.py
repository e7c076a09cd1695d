"""The preset that somebody chose for one question."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("turns", sa.Column("preset", sa.String(255), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("turns", "preset")
