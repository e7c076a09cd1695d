"""Who stopped an answer, and whose questions wear a mark because they wait."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("turns", sa.Column("stopped_by", sa.String(255), nullable=False, server_default=""))
    op.add_column("turns", sa.Column("waited", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    op.drop_column("turns", "waited")
    op.drop_column("turns", "stopped_by")
